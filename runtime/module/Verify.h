// The verifier's parts, one file each, in the order in which they run. Errors have no file name yet: Module::parse puts
// it before.
#ifndef ADJRT_MODULE_VERIFY_H
#define ADJRT_MODULE_VERIFY_H

#include "adjrt/module/Module.h"

namespace adjrt::verify {

/// Header, sizes, checksums, FlatBuffer, blobs and padding: after it the root table may be followed.
Status container(std::span<const std::byte> file);

/// Target, plan, staging, carries, parameters, kernels.
Status plan(const fb::Module &module);

/// Every buffer, block and command of every program.
Status programs(const fb::Module &module);

/// The model graph's value ids: in range, defined once, used after their definition and where they are visible.
Status model(const fb::Model &model);

/// Elements of a vector that may be absent, or an empty range.
template <typename T> class Items {
public:
  explicit Items(const T *vector) : vector(vector) {}
  auto begin() const { return vector ? vector->begin() : decltype(vector->begin())(nullptr, 0); }
  auto end() const { return vector ? vector->end() : decltype(vector->end())(nullptr, 0); }
  std::uint32_t size() const { return vector ? vector->size() : 0; }

private:
  const T *vector;
};

/// Wide enough that no sum of products the verifier forms can wrap: counts stay below 2^62, strides are 64-bit.
using Wide = unsigned __int128;

/// A quoted name, or its ordinal where it has none.
inline std::string quoted(const flatbuffers::String *name, std::uint32_t ordinal) {
  return name && name->size() ? "'" + name->str() + "'" : std::to_string(ordinal);
}

} // namespace adjrt::verify

#endif
