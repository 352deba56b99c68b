//===- AccurateMath.h - functions that upstream's approximations miss -----------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_MATH_ACCURATEMATH_H
#define ADJC_LIB_TARGET_MATH_ACCURATEMATH_H

#include "mlir/IR/PatternMatch.h"

namespace adjc {

/// f32 math.sin, math.cos and math.exp2, on scalars and vectors, as arithmetic. Of the value's last place they miss at
/// most 2 units: sin and cos for arguments up to 10^4 (beyond, they miss what the argument's own last place is worth,
/// and stay within [-1, 1]), exp2 everywhere. Upstream's sine misses 1e-7 of 1 near its zeros, and with a large
/// argument all; its exp2 has 67 units. Without `exp2`, that one is left alone.
void populateAccurateMathPatterns(mlir::RewritePatternSet &patterns, bool exp2 = true);

} // namespace adjc

#endif
