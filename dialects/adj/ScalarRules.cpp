//===- ScalarRules.cpp - vjps of scalar operations ------------------------------------------------------------------===//
#include "adj/ScalarRules.h"


#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

bool adj::isDifferentiable(Type type) { return isa<FloatType, ComplexType>(getElementTypeOrSelf(type)); }

namespace {

/// Short names for what rules are made of.
struct Terms {
  OpBuilder &b;
  Location loc;

  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value constant(Type type, double v) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, v)); }
  Value like(Value x, double v) { return constant(x.getType(), v); }
  Value select(Value c, Value x, Value y) { return arith::SelectOp::create(b, loc, c, x, y); }
  Value compare(arith::CmpFPredicate p, Value x, Value y) { return arith::CmpFOp::create(b, loc, p, x, y); }
};

/// The larger (smaller) operand takes the cotangent; at a tie the first one does.
void selectRule(Terms t, Operation *op, Value g, arith::CmpFPredicate firstWins, adj::AddCotangent add) {
  Value first = t.compare(firstWins, op->getOperand(0), op->getOperand(1));
  Value zero = t.like(g, 0.0);
  add(0, t.select(first, g, zero));
  add(1, t.select(first, zero, g));
}

} // namespace

LogicalResult adj::buildScalarVjp(OpBuilder &builder, Operation *op, Value g, AddCotangent add) {
  Terms t{builder, op->getLoc()};
  auto x = [&](unsigned i) { return op->getOperand(i); };
  Value y = op->getNumResults() ? op->getResult(0) : Value();
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<arith::ConstantOp, arith::CmpFOp, arith::CmpIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>([](auto) { return success(); })
      .Case<arith::AddFOp>([&](auto) { return add(0, g), add(1, g), success(); })
      .Case<arith::SubFOp>([&](auto) { return add(0, g), add(1, t.neg(g)), success(); })
      .Case<arith::MulFOp>([&](auto) { return add(0, t.mul(g, x(1))), add(1, t.mul(g, x(0))), success(); })
      .Case<arith::DivFOp>([&](auto) {
        Value first = t.div(g, x(1));
        return add(0, first), add(1, t.neg(t.mul(first, y))), success();
      })
      .Case<arith::NegFOp>([&](auto) { return add(0, t.neg(g)), success(); })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) { return selectRule(t, op, g, arith::CmpFPredicate::OGE, add), success(); })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) { return selectRule(t, op, g, arith::CmpFPredicate::OLE, add), success(); })
      .Case<arith::SelectOp>([&](auto) {
        Value zero = t.like(g, 0.0);
        return add(1, t.select(x(0), g, zero)), add(2, t.select(x(0), zero, g)), success();
      })
      .Case<math::ExpOp>([&](auto) { return add(0, t.mul(g, y)), success(); })
      .Case<math::Exp2Op>([&](auto) { return add(0, t.mul(g, t.mul(y, t.like(y, 0.6931471805599453)))), success(); })
      .Case<math::ExpM1Op>([&](auto) { return add(0, t.mul(g, t.add(y, t.like(y, 1.0)))), success(); })
      .Case<math::LogOp>([&](auto) { return add(0, t.div(g, x(0))), success(); })
      .Case<math::Log2Op>([&](auto) { return add(0, t.div(t.mul(g, t.like(g, 1.4426950408889634)), x(0))), success(); })
      .Case<math::Log1pOp>([&](auto) { return add(0, t.div(g, t.add(x(0), t.like(g, 1.0)))), success(); })
      .Case<math::SqrtOp>([&](auto) { return add(0, t.div(t.mul(g, t.like(g, 0.5)), y)), success(); })
      .Case<math::RsqrtOp>([&](auto) { return add(0, t.mul(t.mul(g, t.like(g, -0.5)), t.mul(y, t.mul(y, y)))), success(); })
      .Case<math::TanhOp>([&](auto) { return add(0, t.mul(g, t.sub(t.like(g, 1.0), t.mul(y, y)))), success(); })
      .Case<math::SinOp>([&](auto) { return add(0, t.mul(g, math::CosOp::create(builder, t.loc, x(0)))), success(); })
      .Case<math::CosOp>([&](auto) { return add(0, t.neg(t.mul(g, math::SinOp::create(builder, t.loc, x(0))))), success(); })
      .Case<math::AbsFOp>([&](auto) {
        // The subgradient at 0 is 0, as in PyTorch and JAX.
        Value zero = t.like(g, 0.0);
        Value positive = t.compare(arith::CmpFPredicate::OGT, x(0), zero);
        Value negative = t.compare(arith::CmpFPredicate::OLT, x(0), zero);
        return add(0, t.select(positive, g, t.select(negative, t.neg(g), zero))), success();
      })
      .Case<math::ErfOp>([&](auto) {
        Value gauss = math::ExpOp::create(builder, t.loc, t.neg(t.mul(x(0), x(0))));
        return add(0, t.mul(g, t.mul(gauss, t.like(g, 1.1283791670955126)))), success(); // 2 / sqrt(pi)
      })
      .Case<math::PowFOp>([&](auto) {
        Value lowered = math::PowFOp::create(builder, t.loc, x(0), t.sub(x(1), t.like(g, 1.0)));
        add(0, t.mul(g, t.mul(x(1), lowered)));
        return add(1, t.mul(g, t.mul(y, math::LogOp::create(builder, t.loc, x(0))))), success();
      })
      .Case<math::FmaOp>([&](auto) { return add(0, t.mul(g, x(1))), add(1, t.mul(g, x(0))), add(2, g), success(); })
      .Default([](Operation *op) -> LogicalResult {
        return op->emitOpError("has no adjoint rule; spell it with operations that have one (see the guide on scalar rules)");
      });
}

void adj::ScalarAdjoint::seed(Value value, Value cotangent) {
  if (!isDifferentiable(value.getType()))
    return;
  Value contribution = reduce ? reduce(builder, cotangent, value) : cotangent;
  Value &slot = cotangents[value];
  slot = slot ? arith::AddFOp::create(builder, contribution.getLoc(), slot, contribution).getResult() : contribution;
}

LogicalResult adj::ScalarAdjoint::run(ArrayRef<Operation *> ops) {
  for (Operation *op : llvm::reverse(ops)) {
    if (op->getNumResults() != 1)
      continue;
    Value g = cotangents.lookup(op->getResult(0));
    if (!g)
      continue;
    auto add = [&](unsigned operand, Value contribution) { seed(op->getOperand(operand), contribution); };
    if (failed(buildScalarVjp(builder, op, g, add)))
      return failure();
  }
  return success();
}
