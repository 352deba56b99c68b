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

/// Three passes over the row: its maximum; the sum of exp(logit - maximum), which is kept where the cotangent will be,
/// or computed again where that is stored in bf16; the cotangent.
static LogicalResult emitCrossEntropy(KernelContext &ctx, Operation *op) {
  auto entropy = cast<adj::CrossEntropyOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t vocabulary = getRowSize(cast<RankedTensorType>(entropy.getLogits().getType()));
  bool multiple = vocabulary % laneCount == 0;
  Value targets = ctx.rowsView(entropy.getTargets()), losses = ctx.rowsView(entropy.getLosses());
  // The logits' buffer is the cotangent's, where they are stored alike.
  bool inPlace = entropy.getCotangent().getType() == entropy.getLogits().getType();
  Value cotangent = ctx.rowsView(entropy.getCotangent()), scaleView = ctx.fullView(entropy.getScale());
  Value logits = inPlace ? cotangent : ctx.rowsView(entropy.getLogits());
  Value scale = b.load(scaleView, {});
  Value zero = b.index(0), end = b.index(vocabulary);
  ctx.forRows(getBlock(ctx.getTarget()), [&](Value row) {
    Value target = b.load(targets, row);
    Value skip = b.compare(arith::CmpIPredicate::eq, target, b.constant(target.getType(), ignored));
    auto writeZeros = [&] {
      b.once([&] { b.store(b.f32(0), losses, row); });
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value v) {
        lanes.store(lanes.constant(0), cotangent, {row, v});
      });
    };
    auto writeCotangents = [&] {
      Value place = arith::IndexCastOp::create(b, b.getIndexType(), target);
      Value chosen = b.load(logits, {row, place});
      Value maximum = reduceLanes(b, zero, end, multiple, Reduction::Maximum, 1, [&](const Lanes &lanes, Value v) {
        return SmallVector<Value>{lanes.load(logits, {row, v})};
      })[0];
      auto weightOf = [&](const Lanes &lanes, Value v) -> Value {
        return math::ExpOp::create(b, b.sub(lanes.load(logits, {row, v}), lanes.splat(maximum)));
      };
      Value sum = reduceLanes(b, zero, end, multiple, Reduction::Sum, 1, [&](const Lanes &lanes, Value v) {
        Value weight = weightOf(lanes, v);
        if (inPlace)
          lanes.store(weight, cotangent, {row, v});
        return SmallVector<Value>{weight};
      })[0];
      Value loss = b.add(b.sub(maximum, chosen), math::LogOp::create(b, sum));
      b.once([&] { b.store(loss, losses, row); });
      Value factor = b.div(scale, sum);
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value v) {
        Value weight = inPlace ? lanes.load(cotangent, {row, v}) : weightOf(lanes, v);
        lanes.store(b.mul(weight, lanes.splat(factor)), cotangent, {row, v});
      });
      b.barrier();
      b.once([&] {
        Value weight = inPlace ? Value() : weightOf(Lanes(b, 1), place);
        Value probability = inPlace ? b.load(cotangent, {row, place}) : b.mul(weight, factor);
        b.store(b.sub(probability, scale), cotangent, {row, place});
      });
    };
    b.ifThen(skip, writeZeros, writeCotangents);
  });
  return success();
}

static Value getTiedLogits(Operation *op, unsigned result) {
  auto entropy = cast<adj::CrossEntropyOp>(op);
  bool alike = entropy.getCotangent().getType() == entropy.getLogits().getType();
  return result == 1 && alike ? entropy.getLogits() : Value();
}

const KernelEmitter adjc::crossEntropyEmitter{"adj.cross_entropy", crossEntropyGrid, emitCrossEntropy, getTiedLogits};
