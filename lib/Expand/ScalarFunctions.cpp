//===- ScalarFunctions.cpp - how activations are spelled ----------------------------------------------------------===//
#include "ScalarFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

static Value constant(ImplicitLocOpBuilder &b, double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(value)));
}

/// The bound keeps the exponential finite (its derivative would turn 0 into NaN); below v = -80 silu is 0 to all digits
/// of a sum either way.
Value silu(ImplicitLocOpBuilder &b, Value v) {
  Value exponent = arith::MinimumFOp::create(b, arith::NegFOp::create(b, v), constant(b, 80));
  Value exp = math::ExpOp::create(b, exponent);
  return arith::DivFOp::create(b, v, arith::AddFOp::create(b, constant(b, 1), exp));
}

/// v / 2 (1 + s).
static Value halfOf(ImplicitLocOpBuilder &b, Value v, Value s) {
  Value half = arith::MulFOp::create(b, v, constant(b, 0.5));
  return arith::MulFOp::create(b, half, arith::AddFOp::create(b, constant(b, 1), s));
}

Value gelu(ImplicitLocOpBuilder &b, Value v) {
  Value scaled = arith::MulFOp::create(b, v, constant(b, 0.70710678118654752440));
  return halfOf(b, v, math::ErfOp::create(b, scaled));
}

Value geluTanh(ImplicitLocOpBuilder &b, Value v) {
  Value square = arith::MulFOp::create(b, v, v);
  Value cubic = arith::AddFOp::create(b, constant(b, 1), arith::MulFOp::create(b, constant(b, 0.044715), square));
  Value scaled = arith::MulFOp::create(b, v, constant(b, 0.79788456080286535588));
  return halfOf(b, v, math::TanhOp::create(b, arith::MulFOp::create(b, scaled, cubic)));
}

/// max(v, 0) + log1p(exp(-|v|)), which never overflows. -|v| is spelled min(-v, v): a tie's cotangent goes to the first
/// operand, so at v = 0 the derivative comes out as 1 - 1/2, which is right; absf would make it 1.
Value softplus(ImplicitLocOpBuilder &b, Value v) {
  Value exp = math::ExpOp::create(b, arith::MinimumFOp::create(b, arith::NegFOp::create(b, v), v));
  return arith::AddFOp::create(b, arith::MaximumFOp::create(b, v, constant(b, 0)), math::Log1pOp::create(b, exp));
}

} // namespace adjc
