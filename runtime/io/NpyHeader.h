// The header of an .npy file: a Python dict literal with three keys.
#ifndef ADJRT_IO_NPYHEADER_H
#define ADJRT_IO_NPYHEADER_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adjrt {

struct NpyHeader {
  std::string descr; ///< NumPy's type string, "<i4"
  bool fortranOrder = false;
  std::vector<std::int64_t> shape;
};

/// Parses `{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }`, keys in any order. The error says what was
/// expected and at which byte of `text`.
Expected<NpyHeader> parseNpyHeader(std::string_view text);

} // namespace adjrt

#endif
