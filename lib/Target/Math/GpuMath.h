//===- GpuMath.h - functions by a GPU's special-function units ------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_MATH_GPUMATH_H
#define ADJC_LIB_TARGET_MATH_GPUMATH_H

#include "mlir/IR/PatternMatch.h"

namespace adjc {

/// f32 math.exp as math.exp2 of x log2(e), and scalar math.log1p as a polynomial up to 1 and lg2.approx beyond: within
/// 4 units of the last place, rather than by the polynomials that a CPU needs, which have three times as many
/// instructions. Scalar f32 x / y as x (1 / y).
void populateGpuMathPatterns(mlir::RewritePatternSet &patterns);

} // namespace adjc

#endif
