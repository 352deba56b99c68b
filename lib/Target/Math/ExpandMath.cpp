//===- ExpandMath.cpp - adj-expand-math: math functions become polynomials --------------------------------------===//
#include "AccurateMath.h"
#include "ExpandExp.h"
#include "GpuMath.h"
#include "adjc/Target/Math/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace adjc {
#define GEN_PASS_DEF_ADJEXPANDMATH
#include "adjc/Target/Math/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using namespace adjc;

namespace {

struct ExpandMath : adjc::impl::AdjExpandMathBase<ExpandMath> {
  using AdjExpandMathBase::AdjExpandMathBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    // 1/sqrt is not among them: sqrt and division are instructions, and exact.
    SmallVector<StringRef> approximated = {"math.expm1", "math.log",  "math.log2",  "math.log1p", "math.tanh",
                                           "math.erf",   "math.atan", "math.atan2", "math.cbrt"};
    if (gpu) {
      populateGpuMathPatterns(patterns);
    } else {
      approximated.push_back("math.exp");
      populateExpandExpPatterns(patterns);
    }
    populateMathPolynomialApproximationPatterns(patterns,
                                                [&](StringRef name) { return llvm::is_contained(approximated, name); });
    math::populateExpansionPatterns(patterns, {"sinh", "cosh", "tan", "asinh", "acosh", "atanh", "powf", "rsqrt"});
    populateAccurateMathPatterns(patterns, /*exp2=*/!gpu);
    // Conversions as integer arithmetic, to nearest even and NaN kept: not every CPU level has instructions for them,
    // and the compiler's own functions are in a library. A GPU has them.
    if (!gpu)
      arith::populateExpandBFloat16Patterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    // Not every CPU level has a fused multiply-add, and a library call is no replacement: let the target contract
    // instead.
    getOperation().walk([](math::FmaOp op) {
      ImplicitLocOpBuilder b(op.getLoc(), op);
      Value product = arith::MulFOp::create(b, op.getA(), op.getB());
      op.replaceAllUsesWith(arith::AddFOp::create(b, product, op.getC()).getResult());
      op.erase();
    });
    getOperation().walk([&](arith::ArithFastMathInterface op) {
      arith::FastMathFlags flags = arith::FastMathFlags::contract;
      if (gpu && isa<math::Exp2Op, arith::DivFOp>(op))
        flags = flags | arith::FastMathFlags::afn;
      op->setAttr(op.getFastMathAttrName(), arith::FastMathFlagsAttr::get(op->getContext(), flags));
    });
  }
};
} // namespace
