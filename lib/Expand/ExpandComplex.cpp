//===- ExpandComplex.cpp - ssm-expand-complex: complex arithmetic on real and imaginary parts -------------------===//
#include "adj/AdjOps.h"
#include "adjc/Expand/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "ssm/ScanDimensions.h"
#include "ssm/ScanVerifier.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace adjc {
#define GEN_PASS_DEF_EXPANDCOMPLEX
#include "adjc/Expand/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

struct Parts {
  Value re, im;
};

/// Rewrites one region, from its first operation to the last.
class RegionExpander {
public:
  explicit RegionExpander(Block &block) : block(block), b(block.getParentOp()->getLoc(), block.getParentOp()) {}

  LogicalResult expand() {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      bool complexOperand = llvm::any_of(op.getOperandTypes(), llvm::IsaPred<ComplexType>);
      bool complexResult = llvm::any_of(op.getResultTypes(), llvm::IsaPred<ComplexType>);
      if (!complexOperand && !complexResult)
        continue;
      b.setInsertionPoint(&op);
      b.setLoc(op.getLoc());
      if (isa<ssm::YieldOp>(op)) {
        for (OpOperand &operand : op.getOpOperands())
          if (isa<ComplexType>(operand.get().getType()))
            operand.set(join(partsOf(operand.get())));
        continue;
      }
      if (complexResult) {
        std::optional<Parts> parts = expandValue(&op);
        if (!parts)
          return op.emitOpError("on complex numbers is not lowered");
        known[op.getResult(0)] = *parts;
      } else {
        Value value = expandReal(&op);
        if (!value)
          return op.emitOpError("on complex numbers is not lowered");
        op.getResult(0).replaceAllUsesWith(value);
      }
      expanded.push_back(&op);
    }
    for (Operation *op : llvm::reverse(expanded))
      op->erase();
    return success();
  }

private:
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, x); }
  Value real(float value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); }
  // One statement per operation: the order of the IR is not to depend on the compiler's order of evaluation.
  Value squared(Parts z) {
    Value re = mul(z.re, z.re);
    Value im = mul(z.im, z.im);
    return add(re, im);
  }
  Parts multiply(Parts x, Parts y) {
    Value real = mul(x.re, y.re);
    Value imaginary = mul(x.im, y.im);
    Value re = sub(real, imaginary);
    Value outer = mul(x.re, y.im);
    Value inner = mul(x.im, y.re);
    return {re, add(outer, inner)};
  }

  Value join(Parts z) { return complex::CreateOp::create(b, ComplexType::get(z.re.getType()), z.re, z.im); }

  Parts partsOf(Value value) {
    if (auto it = known.find(value); it != known.end())
      return it->second;
    // A region argument: its parts are read once, at the beginning.
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&block);
    Value re = complex::ReOp::create(b, value), im = complex::ImOp::create(b, value);
    return known[value] = {re, im};
  }

  /// The parts of a complex result; none for an operation that is not lowered.
  std::optional<Parts> expandValue(Operation *op) {
    auto x = [&] { return partsOf(op->getOperand(0)); };
    auto y = [&] { return partsOf(op->getOperand(1)); };
    return TypeSwitch<Operation *, std::optional<Parts>>(op)
        .Case([&](complex::CreateOp create) { return Parts{create.getReal(), create.getImaginary()}; })
        .Case([&](complex::ConstantOp constant) {
          auto part = [&](unsigned i) {
            return arith::ConstantOp::create(b, cast<TypedAttr>(constant.getValue()[i])).getResult();
          };
          return Parts{part(0), part(1)};
        })
        .Case([&](complex::AddOp) { return Parts{add(x().re, y().re), add(x().im, y().im)}; })
        .Case([&](complex::SubOp) { return Parts{sub(x().re, y().re), sub(x().im, y().im)}; })
        .Case([&](complex::NegOp) { return Parts{neg(x().re), neg(x().im)}; })
        .Case([&](complex::ConjOp) { return Parts{x().re, neg(x().im)}; })
        .Case([&](complex::MulOp) { return multiply(x(), y()); })
        .Case([&](complex::DivOp) {
          Parts product = multiply(x(), {y().re, neg(y().im)});
          Value norm = squared(y());
          return Parts{div(product.re, norm), div(product.im, norm)};
        })
        .Case([&](complex::ExpOp) {
          Value modulus = math::ExpOp::create(b, x().re);
          Value cosine = math::CosOp::create(b, x().im);
          Value sine = math::SinOp::create(b, x().im);
          return Parts{mul(modulus, cosine), mul(modulus, sine)};
        })
        .Case([&](complex::Expm1Op) {
          // e^x cos y - 1 = (e^x - 1) cos y - 2 sin(y / 2)^2: no term cancels another near 0.
          Value cosine = math::CosOp::create(b, x().im);
          Value scaled = mul(math::ExpM1Op::create(b, x().re), cosine);
          Value sine = math::SinOp::create(b, mul(x().im, real(0.5)));
          Value square = mul(sine, sine);
          Value twice = mul(square, real(2));
          Value modulus = math::ExpOp::create(b, x().re);
          Value imaginary = math::SinOp::create(b, x().im);
          return Parts{sub(scaled, twice), mul(modulus, imaginary)};
        })
        .Case([&](arith::SelectOp select) {
          Parts yes = partsOf(select.getTrueValue()), no = partsOf(select.getFalseValue());
          auto choose = [&](Value a, Value c) {
            return arith::SelectOp::create(b, select.getCondition(), a, c).getResult();
          };
          return Parts{choose(yes.re, no.re), choose(yes.im, no.im)};
        })
        .Case([&](ssm::SumOp sum) {
          auto over = [&](Value part) {
            return ssm::SumOp::create(b, part.getType(), sum.getDimsAttr(), part).getResult();
          };
          return Parts{over(x().re), over(x().im)};
        })
        .Default(std::nullopt);
  }

  /// A real result of complex operands; null for an operation that is not lowered.
  Value expandReal(Operation *op) {
    if (!isa<ComplexType>(op->getOperand(0).getType()))
      return nullptr;
    Parts z = partsOf(op->getOperand(0));
    return TypeSwitch<Operation *, Value>(op)
        .Case([&](complex::ReOp) { return z.re; })
        .Case([&](complex::ImOp) { return z.im; })
        .Case([&](complex::AbsOp) { return math::SqrtOp::create(b, squared(z)).getResult(); })
        .Default(Value());
  }

  Block &block;
  ImplicitLocOpBuilder b;
  llvm::DenseMap<Value, Parts> known;
  SmallVector<Operation *> expanded;
};

/// A part varies over fewer dimensions than the complex value that it is of, perhaps: what it lacks, a sum over that
/// dimension repeats.
template <typename ScanLike> void repeatInSums(ScanLike scan, ArrayRef<int64_t> sizes) {
  ssm::ScanDimensions dimensions(scan);
  SmallVector<std::pair<ssm::SumOp, SmallVector<int64_t>>> changed; // a sum, and the dimensions that it keeps
  for (Region &region : scan->getRegions())
    for (auto sum : region.getOps<ssm::SumOp>()) {
      SmallVector<int64_t> present(sum.getDims());
      llvm::erase_if(present, [&](int64_t dim) { return !dimensions.variesOver(sum.getValue(), dim); });
      if (present.size() != sum.getDims().size())
        changed.push_back({sum, present});
    }
  for (auto &[sum, present] : changed) {
    ImplicitLocOpBuilder b(sum.getLoc(), sum);
    int64_t points = 1;
    for (int64_t dim : sum.getDims())
      points *= llvm::is_contained(present, dim) ? 1 : sizes[dim];
    Value value = sum.getValue();
    if (!present.empty())
      value = ssm::SumOp::create(b, value.getType(), b.getDenseI64ArrayAttr(present), value);
    Value factor = arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(points)));
    sum.getResult().replaceAllUsesWith(arith::MulFOp::create(b, value, factor).getResult());
    sum.erase();
  }
}

/// Likewise an output: it is chosen, by a condition that varies over what is missing, between itself and itself.
void widenOutputs(ssm::ScanOp scan) {
  ssm::ScanDimensions dimensions(scan);
  ssm::ScanSpace space = ssm::getSpace(scan);
  Block &read = scan.getRead().front();
  for (auto [i, operand] : llvm::enumerate(read.getTerminator()->getOpOperands())) {
    ssm::DimensionSet missing = space.of(scan.getOutputMap(i));
    missing.reset(dimensions.get(operand.get()));
    ImplicitLocOpBuilder b(operand.getOwner()->getLoc(), operand.getOwner());
    for (BlockArgument argument : read.getArguments()) {
      if (!argument.getType().isF32() || !dimensions.get(argument).anyCommon(missing))
        continue;
      ssm::DimensionSet extra = dimensions.get(argument);
      if (extra.reset(space.of(scan.getOutputMap(i))).any())
        continue;
      missing.reset(dimensions.get(argument));
      Value same = arith::CmpFOp::create(b, arith::CmpFPredicate::UEQ, argument, argument);
      operand.set(arith::SelectOp::create(b, same, operand.get(), operand.get()));
    }
  }
}

struct ExpandComplex : adjc::impl::ExpandComplexBase<ExpandComplex> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      if (!isa<ssm::ScanOp, adj::ScanAdjointOp>(op))
        return WalkResult::advance();
      for (Region &region : op->getRegions())
        if (failed(RegionExpander(region.front()).expand()))
          return WalkResult::interrupt();
      if (auto scan = dyn_cast<ssm::ScanOp>(op)) {
        repeatInSums(scan, scan.getDimSizes());
        widenOutputs(scan);
      } else {
        auto adjoint = cast<adj::ScanAdjointOp>(op);
        SmallVector<Type> types(adjoint.getInputs().getTypes());
        llvm::append_range(types, adjoint.getCotangents().getTypes());
        repeatInSums(adjoint, ssm::computeDimSizes(ssm::getSpace(adjoint), adjoint.getIndexingMaps(), types));
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
