//===- ExpandExp.cpp - exp of f32 as arithmetic -----------------------------------------------------------------===//
//
// A recurrence takes one exponential per state and token, so every instruction counts: 14 with a fused multiply-add.
//
//     e^x = 2^n e^r,   n = round(x / ln 2),   |r| <= ln(2) / 2
//
// n is read off the low bits of x / ln 2 + 1.5 2^23, which round and convert in one addition. e^r is a polynomial of
// degree 6, minimax in the relative error with the first two coefficients fixed at 1 (3.1e-9), which keeps the errors
// of transitions close to 1 small. 2^n is applied as 2 and 2^(n-1), so that n = 128 needs no case of its own, and e^x
// overflows exactly where it should. The whole is within 0.9 ulp; results below 2^-125.5 are 0.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "ExpandExp.h"
#include "Arithmetic.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace adjc;

/// Coefficients of e^r from r^6 down.
static constexpr double kPolynomial[] = {
    1.3814466935e-03, 8.3687804097e-03, 4.1668394213e-02, 1.6666520108e-01, 4.9999993412e-01, 1.0, 1.0};
/// ln 2 in two parts; a product of n and the first is exact without a fused multiply-add too.
static constexpr double kLn2High = 0.693359375, kLn2Low = -2.12194440e-4;
/// 1.5 2^23, where the unit in the last place is 1, and the bias of the exponent of 2^(n-1).
static constexpr double kRound = 12582912.0 + 126.0;
/// Where n is -126 and 2^(n-1) becomes 0; and beyond where e^x overflows.
static constexpr double kLowest = -87.336545, kHighest = 88.8;

namespace {
struct ExpandExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()))
      return failure();
    Arithmetic f(op, rewriter);
    // NaN fails both comparisons and goes on.
    Value x = f.clampBelow(f.clampAbove(op.getOperand(), kHighest), kLowest);
    Value shifted = f.multiplyAdd(x, f.constant(1.44269504088896341), f.constant(kRound));
    Value n = f.sub(shifted, f.constant(kRound));
    Value r = f.multiplyAdd(n, f.constant(-kLn2High), x);
    r = f.multiplyAdd(n, f.constant(-kLn2Low), r);
    Value twice = f.constant(2 * kPolynomial[0]);
    for (double coefficient : ArrayRef(kPolynomial).drop_front())
      twice = f.multiplyAdd(twice, r, f.constant(2 * coefficient));
    Value half = f.fromBits(f.make<arith::ShLIOp>(f.toBits(shifted), f.integer(23)));
    rewriter.replaceOp(op, f.mul(twice, half));
    return success();
  }
};
} // namespace

void adjc::populateExpandExpPatterns(RewritePatternSet &patterns) {
  // Rather than upstream's.
  patterns.add<ExpandExp>(patterns.getContext(), /*benefit=*/2);
}
