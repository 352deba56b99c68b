//===- GpuMath.cpp - functions by a GPU's special-function units --------------------------------------------------===//
#include "GpuMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace adjc;

/// Coefficients of log1p(y) / y on [0, 1] from y^9 down: minimax in the relative error (5e-9; evaluated in f32 it
/// misses 1.8e-7).
static constexpr double kLog1p[] = {-0.00324398081, 0.0198512624, -0.0569591587, 0.106036168,  -0.153055701,
                                    0.196759315,    -0.249541321, 0.333299623,   -0.499999024, 1.0};

namespace {

/// e^x = 2^(x log2 e): one multiplication and ex2.approx.
struct ExpByExp2 : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    TypedAttr factor = b.getFloatAttr(getElementTypeOrSelf(op.getType()), 1.44269504088896341);
    if (auto vector = dyn_cast<VectorType>(op.getType()))
      factor = DenseElementsAttr::get(vector, Attribute(factor));
    Value scaled = arith::MulFOp::create(b, op.getOperand(), arith::ConstantOp::create(b, factor));
    rewriter.replaceOpWithNewOp<math::Exp2Op>(op, scaled);
    return success();
  }
};

/// The x of e^x or of 2^(c x), c > 0; null where `value` is neither.
Value exponentOf(Value value) {
  if (auto exp = value.getDefiningOp<math::ExpOp>())
    return exp.getOperand();
  auto exp2 = value.getDefiningOp<math::Exp2Op>();
  if (!exp2)
    return Value();
  auto product = exp2.getOperand().getDefiningOp<arith::MulFOp>();
  llvm::APFloat factor(0.0f);
  if (product && matchPattern(product.getRhs(), m_ConstantFloat(&factor)) && !factor.isNegative())
    return product.getLhs();
  return exp2.getOperand();
}

/// Whether it is min(x, -x).
bool isMinusMagnitude(Value value) {
  auto min = value.getDefiningOp<arith::MinimumFOp>();
  if (!min)
    return false;
  auto negates = [](Value a, Value b) {
    auto neg = a.getDefiningOp<arith::NegFOp>();
    return neg && neg.getOperand() == b;
  };
  return negates(min.getLhs(), min.getRhs()) || negates(min.getRhs(), min.getLhs());
}

/// log1p(x) = -log1p(y) with y = -x / (1 + x) for x < 0, which keeps its relative accuracy next to 0 (softplus needs
/// it), so y >= 0 is all there is. Of an exponential that is known already, and in softplus, which has e^-|x|, so is
/// y <= 1.
struct FastLog1p : OpRewritePattern<math::Log1pOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Log1pOp op, PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto constant = [&](double value) -> Value { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); };
    Value x = op.getOperand(), y = x, one = constant(1), negative;
    Value exponent = exponentOf(x);
    if (!exponent) {
      negative = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, constant(0));
      Value reflected = arith::DivFOp::create(b, arith::NegFOp::create(b, x), arith::AddFOp::create(b, one, x));
      y = arith::SelectOp::create(b, negative, reflected, x);
    }
    Value polynomial = constant(kLog1p[0]);
    for (double coefficient : ArrayRef(kLog1p).drop_front())
      polynomial = arith::AddFOp::create(b, arith::MulFOp::create(b, polynomial, y), constant(coefficient));
    Value result = arith::MulFOp::create(b, polynomial, y);
    if (!exponent || !isMinusMagnitude(exponent)) {
      auto log2 = LLVM::CallIntrinsicOp::create(b, b.getF32Type(), b.getStringAttr("llvm.nvvm.lg2.approx.ftz.f"),
                                                ValueRange{arith::AddFOp::create(b, one, y)});
      Value large = arith::MulFOp::create(b, log2.getResult(0), constant(0.693147180559945309));
      Value inside = arith::CmpFOp::create(b, arith::CmpFPredicate::OLE, y, one);
      result = arith::SelectOp::create(b, inside, result, large);
    }
    if (negative)
      result = arith::SelectOp::create(b, negative, arith::NegFOp::create(b, result), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// x / y = x (1 / y): one rcp.approx for all that is divided by y.
struct DivideByReciprocal : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    if (!op.getType().isF32() || matchPattern(op.getLhs(), m_OneFloat()))
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value one = arith::ConstantOp::create(b, b.getF32FloatAttr(1));
    rewriter.replaceOpWithNewOp<arith::MulFOp>(op, op.getLhs(), arith::DivFOp::create(b, one, op.getRhs()));
    return success();
  }
};

} // namespace

void adjc::populateGpuMathPatterns(RewritePatternSet &patterns) {
  // Rather than upstream's.
  patterns.add<ExpByExp2, FastLog1p, DivideByReciprocal>(patterns.getContext(), /*benefit=*/2);
}
