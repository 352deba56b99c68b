//===- ExpandExp.h - exp of f32 as arithmetic ---------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_MATH_EXPANDEXP_H
#define ADJC_LIB_TARGET_MATH_EXPANDEXP_H

#include "mlir/IR/PatternMatch.h"

namespace adjc {

/// f32 math.exp, on scalars and vectors, in 14 instructions: within 0.9 of a unit in the last place. Results below
/// 2^-125.5 are 0.
void populateExpandExpPatterns(mlir::RewritePatternSet &patterns);

} // namespace adjc

#endif
