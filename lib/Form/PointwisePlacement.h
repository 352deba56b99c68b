//===- PointwisePlacement.h - where operations that become one may stand ------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_FORM_POINTWISEPLACEMENT_H
#define ADJC_LIB_FORM_POINTWISEPLACEMENT_H

#include "mlir/IR/Operation.h"

namespace adjc {

/// What stays in a program beside dispatches and products: structure, places and views.
bool isStructure(mlir::Operation *op);
/// What kernels make for themselves.
bool isMadeInKernels(mlir::Operation *op);

/// Makes one place for `producer` and its user `consumer` in the same block, `producer` before it: moves one of them so
/// that nothing stands between that uses the one or makes the other. False, with nothing changed, where there is no
/// such place, or where the memory that a program needs at once could grow: between the two, memory is taken, and what
/// the two would then hold is more than before.
bool bringTogether(mlir::Operation *producer, mlir::Operation *consumer);

} // namespace adjc

#endif
