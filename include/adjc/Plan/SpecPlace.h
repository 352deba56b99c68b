//===- SpecPlace.h - where in a spec an operation comes from -------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_SPECPLACE_H
#define ADJC_PLAN_SPECPLACE_H

#include "mlir/IR/Location.h"

#include <string>

namespace adjc {

/// "file:line:column" of a place in a spec; "" where there is none.
std::string placeOf(mlir::Location location);

} // namespace adjc

#endif
