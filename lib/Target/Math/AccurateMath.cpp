//===- AccurateMath.cpp - functions that upstream's approximations miss ------------------------------------------===//
#include "AccurateMath.h"
#include "Arithmetic.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace adjc;

namespace {

/// sin(x + quarters pi/2). x = k pi/2 + r; pi/2 is the sum of three numbers, of which k times the first two is exact up
/// to k = 2^14 (Cody and Waite's reduction), so that r keeps its digits near the zeros.
Value sineOf(Arithmetic &a, Value x, int quarters) {
  Value k = math::RoundEvenOp::create(a.b, a.mul(x, a.constant(0.63661977236758134)));
  Value r = x;
  for (double part : {201.0 / 128, 1014.0 / (1 << 21), 337.0 / (1 << 30), 6.077100506506e-11})
    r = a.sub(r, a.mul(k, a.constant(part)));
  // Of a huge argument nothing is left: bounded all the same. NaN and infinity give NaN.
  r = a.make<arith::MinimumFOp>(a.make<arith::MaximumFOp>(r, a.constant(-0.8)), a.constant(0.8));
  Value s = a.mul(r, r);
  // Minimax polynomials on [0, (pi/4)^2]: relative errors 4e-9 and 1e-10.
  Value tail = a.polynomial(s, {-0.166666546095, 0.00833216076151, -0.000195152831548});
  Value sine = a.add(r, a.mul(a.mul(r, s), tail));
  Value more = a.polynomial(s, {0.041666645683, -0.00138873162544, 2.44331570598e-5});
  Value cosine = a.add(a.sub(a.constant(1), a.mul(s, a.constant(0.5))), a.mul(a.mul(s, s), more));
  // The quadrant, in floating point: an integer of NaN would be undefined.
  Value q = a.add(k, a.constant(quarters));
  Value quadrant = a.sub(q, a.mul(math::FloorOp::create(a.b, a.mul(q, a.constant(0.25))), a.constant(4)));
  Value half = a.mul(quadrant, a.constant(0.5));
  Value odd = a.make<arith::SubFOp>(half, math::FloorOp::create(a.b, half)); // 1/2 in quadrants 1 and 3
  Value value = arith::SelectOp::create(a.b, a.compare(arith::CmpFPredicate::OGT, odd, 0.25), cosine, sine);
  return arith::SelectOp::create(a.b, a.compare(arith::CmpFPredicate::OGE, quadrant, 2),
                                 arith::NegFOp::create(a.b, value), value);
}

template <typename Op, int quarters> struct ExpandSine : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()))
      return failure();
    Arithmetic a(op, rewriter);
    rewriter.replaceOp(op, sineOf(a, op.getOperand(), quarters));
    return success();
  }
};

/// 2^x = 2^k exp(f log 2) with |f| <= 1/2: the exponential of x log 2 would miss x times the rounding of log 2.
struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()))
      return failure();
    Arithmetic a(op, rewriter);
    Value x = op.getOperand();
    // Two factors, since 2^k may be subnormal where the result is not yet 0. NaN becomes a number here, and stays NaN
    // in f.
    Value k = math::RoundEvenOp::create(a.b, x);
    k = a.make<arith::MinNumFOp>(a.make<arith::MaxNumFOp>(k, a.constant(-252)), a.constant(252));
    Value f = a.mul(a.sub(x, k), a.constant(0.6931471805599453));
    Value whole = arith::FPToSIOp::create(a.b, a.integerType(), k);
    Value half = a.make<arith::ShRSIOp>(whole, a.integer(1));
    Value scaled = a.mul(math::ExpOp::create(a.b, f), a.powerOfTwo(half));
    rewriter.replaceOp(op, a.mul(scaled, a.powerOfTwo(a.make<arith::SubIOp>(whole, half))));
    return success();
  }
};

} // namespace

void adjc::populateAccurateMathPatterns(RewritePatternSet &patterns, bool exp2) {
  patterns.add<ExpandSine<math::SinOp, 0>, ExpandSine<math::CosOp, 1>>(patterns.getContext());
  if (exp2)
    patterns.add<ExpandExp2>(patterns.getContext());
}
