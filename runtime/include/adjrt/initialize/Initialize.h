// adjrt/initialize/Initialize.h - initial values of a module's parameters, from the initializers that the spec gives
// them.
#ifndef ADJRT_INITIALIZE_INITIALIZE_H
#define ADJRT_INITIALIZE_INITIALIZE_H

#include "adjm_generated.h"
#include "adjrt/support/Status.h"

#include <cstdint>
#include <span>

namespace adjrt {

/// Fills `values` with the elements of `parameter` from element `first` on; a pure function of (parameter name, shape,
/// initializer, seed, element), bit for bit the same on every machine. InvalidInput: no initializer, an unknown kind,
/// or numbers that it can't be given (a range upside down).
Status initializeParameter(const fb::Parameter &parameter, std::uint64_t seed, std::span<float> values,
                           std::uint64_t first = 0);

} // namespace adjrt

#endif
