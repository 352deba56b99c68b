// adjrt/module/Carries.h - what lies where in a boundary: the states that a call takes, gives, and takes cotangents of.
#ifndef ADJRT_MODULE_CARRIES_H
#define ADJRT_MODULE_CARRIES_H

#include "adjrt/module/Module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adjrt {

/// One tensor of a boundary: row-major, its elements next to each other.
struct CarryPlace {
  std::string name;        ///< of the operation in the module and what it carries: "scan0/state", "conv1d0/tail"
  std::uint32_t layer = 0; ///< of its stack; 0 outside of one
  fb::DType dtype = fb::DType::f32;
  std::vector<std::int64_t> shape; ///< the batch first; a complex state ends with 2: real and imaginary part
  std::uint64_t offset = 0;        ///< in bytes, from the start of the boundary
  std::uint64_t bytes = 0;
};

/// All tensors of a boundary of `module` (Session::boundaryBytes() bytes), in the order in which a token passes them:
/// all of layer 0, then all of layer 1, ... Cotangents lie where the states do. The bytes between are not read.
std::vector<CarryPlace> listCarries(const Module &module);

} // namespace adjrt

#endif
