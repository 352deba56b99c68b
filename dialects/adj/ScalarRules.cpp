//===- ScalarRules.cpp - vjps of scalar operations --------------------------------------------------------------===//
#include "adj/ScalarRules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

bool adj::isDifferentiable(Type type) { return isa<FloatType, ComplexType>(getElementTypeOrSelf(type)); }

namespace {

/// What rules are made of (ScalarRules.td).
struct Terms {
  OpBuilder &b;
  Location loc;
  Value g;

  /// The operation for real or for complex operands.
  template <typename Real, typename Complex, typename... Operands> Value either(Value x, Operands... rest) {
    if (isa<ComplexType>(x.getType()))
      return Complex::create(b, loc, x, rest...);
    return Real::create(b, loc, x, rest...);
  }
  Value mul(Value x, Value y) { return either<arith::MulFOp, complex::MulOp>(x, y); }
  Value add(Value x, Value y) { return either<arith::AddFOp, complex::AddOp>(x, y); }
  Value sub(Value x, Value y) { return either<arith::SubFOp, complex::SubOp>(x, y); }
  Value div(Value x, Value y) { return either<arith::DivFOp, complex::DivOp>(x, y); }
  Value neg(Value x) { return either<arith::NegFOp, complex::NegOp>(x); }
  Value conj(Value x) { return complex::ConjOp::create(b, loc, x); }
  Value re(Value x) { return complex::ReOp::create(b, loc, x); }
  Value im(Value x) { return complex::ImOp::create(b, loc, x); }
  Value create(Value x, Value y) { return complex::CreateOp::create(b, loc, ComplexType::get(x.getType()), x, y); }
  Value exp(Value x) { return math::ExpOp::create(b, loc, x); }
  Value log(Value x) { return math::LogOp::create(b, loc, x); }
  Value sin(Value x) { return math::SinOp::create(b, loc, x); }
  Value cos(Value x) { return math::CosOp::create(b, loc, x); }
  Value pow(Value x, Value y) { return math::PowFOp::create(b, loc, x, y); }
  /// `x` in the precision of `other`.
  Value like(Value x, Value other) {
    Type type = other.getType();
    unsigned from = x.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
    if (from == to)
      return x;
    return from < to ? arith::ExtFOp::create(b, loc, type, x).getResult()
                     : arith::TruncFOp::create(b, loc, type, x).getResult();
  }
  Value constant(double v) {
    auto complex = dyn_cast<ComplexType>(g.getType());
    Type part = complex ? complex.getElementType() : g.getType();
    Value real = arith::ConstantOp::create(b, loc, b.getFloatAttr(part, v));
    return complex ? create(real, arith::ConstantOp::create(b, loc, b.getFloatAttr(part, 0.0))) : real;
  }
  Value zero() { return constant(0.0); }
  Value select(Value c, Value x, Value y) { return arith::SelectOp::create(b, loc, c, x, y); }
  Value compare(arith::CmpFPredicate p, Value x, Value y) { return arith::CmpFOp::create(b, loc, p, x, y); }
  Value lt(Value x, Value y) { return compare(arith::CmpFPredicate::OLT, x, y); }
  Value gt(Value x, Value y) { return compare(arith::CmpFPredicate::OGT, x, y); }
  Value le(Value x, Value y) { return compare(arith::CmpFPredicate::OLE, x, y); }
  Value ge(Value x, Value y) { return compare(arith::CmpFPredicate::OGE, x, y); }
};

} // namespace

LogicalResult adj::buildScalarVjp(OpBuilder &builder, Operation *op, Value g, AddCotangent add) {
  Terms t{builder, op->getLoc(), g};
  auto x = [&](unsigned i) { return op->getOperand(i); };
  Value y = op->getResult(0);
  return TypeSwitch<Operation *, LogicalResult>(op)
#include "adj/ScalarRules.inc"
      .Default([](Operation *op) -> LogicalResult {
        return op->emitOpError("has no adjoint rule; spell it with operations that have one (the rules are in "
                               "dialects/adj/ScalarRules.td)");
      });
}

void adj::ScalarAdjoint::seed(Value value, Value cotangent, Value user) {
  if (!isDifferentiable(value.getType()))
    return;
  Value contribution = reduce ? reduce(builder, cotangent, value, user) : cotangent;
  Value &slot = cotangents[value];
  slot = slot ? Terms{builder, contribution.getLoc(), contribution}.add(slot, contribution) : contribution;
}

LogicalResult adj::ScalarAdjoint::run(ArrayRef<Operation *> ops) {
  for (Operation *op : llvm::reverse(ops)) {
    if (op->getNumResults() != 1)
      continue;
    Value g = cotangents.lookup(op->getResult(0));
    if (!g)
      continue;
    auto add = [&](unsigned operand, Value contribution) {
      seed(op->getOperand(operand), contribution, op->getResult(0));
    };
    if (failed(buildScalarVjp(builder, op, g, add)))
      return failure();
  }
  return success();
}
