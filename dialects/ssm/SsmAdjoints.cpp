//===- SsmAdjoints.cpp - adjoints of the layers -----------------------------------------------------------------===//
//
// AdjointOpInterface of every layer but the scan (SsmScanAdjoint.cpp).
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "adj/AdjOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Cotangents = FailureOr<SmallVector<Value>>;

/// Where kernels leave partial sums over rows.
RankedTensorType partialsOf(Value parameter) {
  return adj::getRowPartialsType(cast<RankedTensorType>(parameter.getType()));
}

/// tensor<?x(shape)xf32> with one entry per sequence of the batch.
RankedTensorType perSequence(Value parameter) {
  auto type = cast<RankedTensorType>(parameter.getType());
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  llvm::append_range(shape, type.getShape());
  return RankedTensorType::get(shape, type.getElementType());
}

/// `value` stored as `like` is.
Value storedLike(OpBuilder &b, Location loc, Value value, Value like) {
  auto type = cast<RankedTensorType>(value.getType());
  Type element = cast<RankedTensorType>(like.getType()).getElementType();
  if (type.getElementType() == element)
    return value;
  if (element.isBF16())
    return arith::TruncFOp::create(b, loc, type.clone(element), value);
  return arith::ExtFOp::create(b, loc, type.clone(element), value);
}

Value sumPartials(OpBuilder &b, Location loc, Value partials, Value parameter) {
  return adj::SumPartialsOp::create(b, loc, parameter.getType(), partials);
}

/// The cotangent of a vector added to every row.
Value sumRows(OpBuilder &b, Location loc, Value rows, Value vector) {
  return sumPartials(b, loc, adj::ColumnSumOp::create(b, loc, partialsOf(vector), rows), vector);
}

} // namespace

Cotangents EmbeddingOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  return SmallVector<Value>{Value(),
                            adj::EmbeddingAdjointOp::create(b, getLoc(), getTable().getType(), getTokens(), g[0])};
}

Cotangents RmsNormOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  auto op = adj::RmsNormAdjointOp::create(b, getLoc(), getX().getType(), partialsOf(getWeight()), getX(), getWeight(),
                                          g[0], getEpsAttr());
  return SmallVector<Value>{op.getDx(), sumPartials(b, getLoc(), op.getDweight(), getWeight())};
}

Cotangents LinearOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  // Products are of operands stored alike.
  Value dy = storedLike(b, getLoc(), g[0], getX());
  Value dx = adj::MatmulOp::create(b, getLoc(), getX().getType(), dy, getWeight(), /*transpose_a=*/false,
                                   /*transpose_b=*/false);
  Value dw = adj::MatmulOp::create(b, getLoc(), getWeight().getType(), dy, getX(), /*transpose_a=*/true,
                                   /*transpose_b=*/false);
  SmallVector<Value> result{dx, dw};
  if (getBias())
    result.push_back(sumRows(b, getLoc(), g[0], getBias()));
  return result;
}

Cotangents Conv1dOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  if (getTail())
    return emitOpError("is differentiated before it is given a tail (run adj-derive-adjoint before adj-shard-tokens)");
  Type dbias = getBias() ? perSequence(getBias()) : Type();
  auto op = adj::Conv1dAdjointOp::create(b, getLoc(), getX().getType(), perSequence(getWeight()), dbias,
                                         /*next_tail_cotangent=*/Type(), getX(), getWeight(), g[0], /*tail=*/Value(),
                                         /*tail_cotangent=*/Value(), /*resets=*/Value(), getCarryNameAttr());
  SmallVector<Value> result{op.getDx(), sumPartials(b, getLoc(), op.getDweight(), getWeight())};
  if (getBias())
    result.push_back(sumPartials(b, getLoc(), op.getDbias(), getBias()));
  return result;
}

Cotangents ResidualOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  Value da = storedLike(b, getLoc(), g[0], getA());
  return SmallVector<Value>{da, storedLike(b, getLoc(), g[0], getB())};
}

Cotangents SplitOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  for (auto [index, cotangent] : llvm::enumerate(g))
    if (!cotangent)
      return emitOpError("part ") << index << " does not reach the loss; split off only what is used";
  return SmallVector<Value>{ConcatOp::create(b, getLoc(), getX().getType(), g)};
}

Cotangents ReshapeOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  return SmallVector<Value>{ReshapeOp::create(b, getLoc(), getX().getType(), g[0])};
}

Cotangents LmLossOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  Type dbias = getBias() ? getBias().getType() : Type();
  auto op = adj::LmLossAdjointOp::create(b, getLoc(), getX().getType(), getWeight().getType(), dbias, getX(),
                                         getWeight(), getTargets(), g[0], getBias());
  SmallVector<Value> result{op.getDx(), op.getDweight(), Value()};
  if (getBias())
    result.push_back(op.getDbias());
  return result;
}
