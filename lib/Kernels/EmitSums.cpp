//===- EmitSums.cpp - column sums and sums of partial sums ------------------------------------------------------===//
#include "adjc/Kernels/Emitters.h"

using namespace mlir;
using namespace adjc;

/// Elements of the result that a group of sum_partials owns.
static constexpr int64_t elementBlock = 256;
/// Partial sums are themselves summed in chunks of this many.
static constexpr int64_t partialChunk = 16;

static RankedTensorType getResultType(Operation *op) { return cast<RankedTensorType>(op->getResult(0).getType()); }

/// A group writes one partial sum.
static FailureOr<KernelGrid> columnSumGrid(Operation *op, KernelTarget target) {
  return makeGrid(target, GridUnit::Rows, getRowsPerPartial(getResultType(op)));
}

static LogicalResult emitColumnSum(KernelContext &ctx, Operation *op) {
  auto sum = cast<adj::ColumnSumOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t channels = getRowSize(cast<RankedTensorType>(sum.getX().getType()));
  bool multiple = channels % laneCount == 0;
  Value x = ctx.rowsView(sum.getX()), partials = ctx.fullView(sum.getPartials());
  Value zero = b.index(0), end = b.index(channels);
  ctx.forGroups([&](Value group) {
    forLanes(b, zero, end, multiple,
             [&](const Lanes &lanes, Value c) { lanes.store(lanes.constant(0), partials, {group, c}); });
    ctx.forRowsOfGroup(group, getRowsPerPartial(getResultType(op)), ctx.rows, [&](Value row) {
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value c) {
        Value next = b.add(lanes.load(partials, {group, c}), lanes.load(x, {row, c}));
        lanes.store(next, partials, {group, c});
      });
    });
  });
  return success();
}

/// Rows of a result that a group owns: on a GPU at least as many as give each of its threads an element.
static int64_t getRowsPerGroup(KernelTarget target, RankedTensorType type) {
  return target == KernelTarget::Gpu ? std::max<int64_t>(1, gpuThreads / getRowSize(type))
                                     : adjc::getRowsPerGroup(target);
}

static FailureOr<KernelGrid> sumPartialsGrid(Operation *op, KernelTarget target) {
  RankedTensorType type = getResultType(op);
  if (hasTokenRows(type))
    return makeGrid(target, GridUnit::Rows, getRowsPerGroup(target, type));
  if (type.hasStaticShape())
    return makeGrid(target, GridUnit::One, 1, llvm::divideCeil(getRowSize(type), elementBlock));
  return op->emitOpError() << "must sum to a static tensor or to token rows, not to " << type;
}

/// The sum over p < count of partials[p * stride + element], in two levels.
static Value sumOver(KernelBuilder &b, const Lanes &lanes, Value partials, Value count, Value stride, Value element) {
  Value none = lanes.constant(0);
  return b.loop(b.index(0), count, partialChunk, none, [&](Value first, ValueRange total) {
    Value last = b.min(b.add(first, b.index(partialChunk)), count);
    Value chunk = b.loop(first, last, 1, none, [&](Value p, ValueRange sum) {
      Value place = b.add(b.mul(p, stride), element);
      return SmallVector<Value>{b.add(sum[0], lanes.load(partials, place))};
    })[0];
    return SmallVector<Value>{b.add(total[0], chunk)};
  })[0];
}

static LogicalResult emitSumPartials(KernelContext &ctx, Operation *op) {
  auto sum = cast<adj::SumPartialsOp>(op);
  KernelBuilder &b = ctx.b;
  auto partialType = cast<RankedTensorType>(sum.getPartials().getType());
  RankedTensorType type = getResultType(op);
  if (hasTokenRows(partialType))
    return op->emitOpError() << "takes partial sums with extra leading dimensions, not " << partialType;
  Value partials = ctx.flatView(sum.getPartials());
  Value count = b.index(1);
  for (int64_t dim = 0; dim < partialType.getRank() - type.getRank(); ++dim)
    count = b.mul(count, ctx.size(partialType, dim));
  int64_t size = getRowSize(type);
  Value zero = b.index(0), extent = b.index(size);
  bool multiple = size % laneCount == 0;

  if (!hasTokenRows(type)) {
    Value result = ctx.flatView(sum.getResult());
    ctx.forGroups([&](Value group) {
      Value first = b.mul(group, b.index(elementBlock));
      Value last = b.min(b.add(first, b.index(elementBlock)), extent);
      forLanes(b, first, last, multiple, [&](const Lanes &lanes, Value e) {
        ctx.write(lanes, sumOver(b, lanes, partials, count, extent, e), result, e);
      });
    });
    return success();
  }

  Value result = ctx.packedRowsView(sum.getResult());
  Value stride = b.mul(ctx.rows, extent);
  if (b.getThreads()) {
    int64_t block = getRowsPerGroup(ctx.getTarget(), type);
    ctx.forGroups([&](Value group) {
      Value first = b.mul(group, b.index(block));
      Value last = b.min(b.add(first, b.index(block)), ctx.rows);
      b.spread(b.mul(first, extent), b.mul(last, extent), [&](Value element) {
        Lanes one(b, 1);
        ctx.write(one, sumOver(b, one, partials, count, stride, element), result,
                  {b.div(element, extent), b.remainder(element, extent)});
      });
    });
    return success();
  }
  ctx.forRows(adjc::getRowsPerGroup(ctx.getTarget()), [&](Value row) {
    Value start = b.mul(row, extent);
    forLanes(b, zero, extent, multiple, [&](const Lanes &lanes, Value c) {
      ctx.write(lanes, sumOver(b, lanes, partials, count, stride, b.add(start, c)), result, {row, c});
    });
  });
  return success();
}

const KernelEmitter adjc::columnSumEmitter{"adj.column_sum", columnSumGrid, emitColumnSum};
const KernelEmitter adjc::sumPartialsEmitter{"adj.sum_partials", sumPartialsGrid, emitSumPartials, /*tied=*/nullptr,
                                             /*accumulates=*/true};
