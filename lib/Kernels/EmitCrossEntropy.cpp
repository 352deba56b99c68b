//===- EmitCrossEntropy.cpp - losses and the logits' cotangents, in place ---------------------------------------===//
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace adjc;

/// Rows per group. A row is a whole vocabulary, so few of them are work enough.
static int64_t getBlock(KernelTarget target) { return target == KernelTarget::Gpu ? 1 : 8; }
/// A target that is not counted.
static constexpr int64_t ignored = -100;

static FailureOr<KernelGrid> crossEntropyGrid(Operation *, KernelTarget target) {
  return makeGrid(target, GridUnit::Rows, getBlock(target));
}

/// Three passes over the row: its maximum; exp(logit - maximum), stored and summed; the cotangent from it.
static LogicalResult emitCrossEntropy(KernelContext &ctx, Operation *op) {
  auto entropy = cast<adj::CrossEntropyOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t vocabulary = getRowSize(cast<RankedTensorType>(entropy.getLogits().getType()));
  bool multiple = vocabulary % laneCount == 0;
  Value targets = ctx.rowsView(entropy.getTargets()), losses = ctx.rowsView(entropy.getLosses());
  // The logits' buffer is the cotangent's.
  Value logits = ctx.rowsView(entropy.getCotangent()), scaleView = ctx.fullView(entropy.getScale());
  Value scale = b.load(scaleView, {});
  Value zero = b.index(0), end = b.index(vocabulary);
  ctx.forRows(getBlock(ctx.getTarget()), [&](Value row) {
    Value target = b.load(targets, row);
    Value skip = b.compare(arith::CmpIPredicate::eq, target, b.constant(target.getType(), ignored));
    auto writeZeros = [&] {
      b.once([&] { b.store(b.f32(0), losses, row); });
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value v) {
        lanes.store(lanes.constant(0), logits, {row, v});
      });
    };
    auto writeCotangents = [&] {
      Value place = arith::IndexCastOp::create(b, b.getIndexType(), target);
      Value chosen = b.load(logits, {row, place});
      Value maximum = reduceLanes(b, zero, end, multiple, Reduction::Maximum, 1, [&](const Lanes &lanes, Value v) {
        return SmallVector<Value>{lanes.load(logits, {row, v})};
      })[0];
      Value sum = reduceLanes(b, zero, end, multiple, Reduction::Sum, 1, [&](const Lanes &lanes, Value v) {
        Value shifted = b.sub(lanes.load(logits, {row, v}), lanes.splat(maximum));
        Value weight = math::ExpOp::create(b, shifted);
        lanes.store(weight, logits, {row, v});
        return SmallVector<Value>{weight};
      })[0];
      Value loss = b.add(b.sub(maximum, chosen), math::LogOp::create(b, sum));
      b.once([&] { b.store(loss, losses, row); });
      Value factor = b.div(scale, sum);
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value v) {
        lanes.store(b.mul(lanes.load(logits, {row, v}), lanes.splat(factor)), logits, {row, v});
      });
      b.barrier();
      b.once([&] { b.store(b.sub(b.load(logits, {row, place}), scale), logits, {row, place}); });
    };
    b.ifThen(skip, writeZeros, writeCotangents);
  });
  return success();
}

static Value getTiedLogits(Operation *op, unsigned result) {
  return result == 1 ? cast<adj::CrossEntropyOp>(op).getLogits() : Value();
}

const KernelEmitter adjc::crossEntropyEmitter{"adj.cross_entropy", crossEntropyGrid, emitCrossEntropy, getTiedLogits};
