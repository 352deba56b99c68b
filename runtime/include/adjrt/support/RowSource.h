// adjrt/support/RowSource.h - arrays of (batch, T) that are read window by window, so that none need be in memory as a
// whole.
#ifndef ADJRT_SUPPORT_ROWSOURCE_H
#define ADJRT_SUPPORT_ROWSOURCE_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <span>

namespace adjrt {

/// The most elements that are asked of a RowSource at once. Small beside any process, and long enough that a call into
/// the system costs nothing beside the copy.
inline constexpr std::int64_t kRowWindow = std::int64_t(1) << 14;

/// Rows of elements, from wherever they are. The same elements have the same values in every call.
template <typename T> class RowSource {
public:
  virtual ~RowSource() = default;
  /// Elements [first, first + count) of row `row`, at most kRowWindow; valid until the next call. Errors, which name
  /// the file: it became shorter, or holds other values than those that were checked.
  virtual Expected<std::span<const T>> window(std::int64_t row, std::int64_t first, std::int64_t count) = 0;
};

} // namespace adjrt

#endif
