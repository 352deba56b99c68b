//===- EmitRmsNorm.cpp - RMS norm and its adjoint ---------------------------------------------------------------===//
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;

static FailureOr<KernelGrid> rmsNormGrid(Operation *, KernelTarget target) {
  return makeGrid(target, GridUnit::Rows, getRowsPerGroup(target));
}

/// 1 / sqrt(sum / channels + eps)
static Value inverseRms(KernelBuilder &b, Value sumOfSquares, int64_t channels, double eps) {
  Value mean = b.mul(sumOfSquares, b.f32(1.0 / channels));
  return b.div(b.f32(1.0), math::SqrtOp::create(b, b.add(mean, b.f32(eps))));
}

static LogicalResult emitRmsNorm(KernelContext &ctx, Operation *op) {
  auto norm = cast<ssm::RmsNormOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t channels = getRowSize(cast<RankedTensorType>(norm.getX().getType()));
  bool multiple = channels % laneCount == 0;
  Value x = ctx.rowsView(norm.getX()), weight = ctx.flatView(norm.getWeight()), y = ctx.rowsView(norm.getResult());
  Value zero = b.index(0), end = b.index(channels);
  ctx.forRows(getRowsPerGroup(ctx.getTarget()), [&](Value row) {
    Value sum = reduceLanes(b, zero, end, multiple, Reduction::Sum, 1, [&](const Lanes &lanes, Value c) {
      Value value = lanes.load(x, {row, c});
      return SmallVector<Value>{b.mul(value, value)};
    })[0];
    Value r = inverseRms(b, sum, channels, norm.getEps().convertToDouble());
    forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value c) {
      Value scaled = b.mul(lanes.load(x, {row, c}), lanes.splat(r));
      lanes.store(b.mul(scaled, lanes.load(weight, {c})), y, {row, c});
    });
  });
  return success();
}

/// A group of the adjoint writes one partial sum of the weight's cotangent.
static int64_t getGroupRows(adj::RmsNormAdjointOp adjoint) {
  return getRowsPerPartial(cast<RankedTensorType>(adjoint.getDweight().getType()));
}

static FailureOr<KernelGrid> rmsNormAdjointGrid(Operation *op, KernelTarget target) {
  return makeGrid(target, GridUnit::Rows, getGroupRows(cast<adj::RmsNormAdjointOp>(op)));
}

/// With r = 1/rms(x) and g = dy * w: dx = r g - x r^3 sum(g x) / channels and dw = sum over rows of dy x r.
static LogicalResult emitRmsNormAdjoint(KernelContext &ctx, Operation *op) {
  auto adjoint = cast<adj::RmsNormAdjointOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t channels = getRowSize(cast<RankedTensorType>(adjoint.getX().getType()));
  bool multiple = channels % laneCount == 0;
  Value x = ctx.rowsView(adjoint.getX()), weight = ctx.flatView(adjoint.getWeight());
  Value dy = ctx.rowsView(adjoint.getCotangent()), dx = ctx.rowsView(adjoint.getDx());
  Value dweight = ctx.fullView(adjoint.getDweight());
  Value zero = b.index(0), end = b.index(channels);
  ctx.forGroups([&](Value group) {
    forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value c) {
      lanes.store(lanes.constant(0), dweight, {group, c});
    });
    ctx.forRowsOfGroup(group, getGroupRows(adjoint), ctx.rows, [&](Value row) {
      SmallVector<Value> sums =
          reduceLanes(b, zero, end, multiple, Reduction::Sum, 2, [&](const Lanes &lanes, Value c) {
            Value value = lanes.load(x, {row, c});
            Value g = b.mul(lanes.load(dy, {row, c}), lanes.load(weight, {c}));
            return SmallVector<Value>{b.mul(value, value), b.mul(g, value)};
          });
      Value r = inverseRms(b, sums[0], channels, adjoint.getEps().convertToDouble());
      Value back = b.mul(b.mul(b.mul(r, r), r), b.mul(sums[1], b.f32(1.0 / channels)));
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value c) {
        Value value = lanes.load(x, {row, c}), cotangent = lanes.load(dy, {row, c}), rate = lanes.splat(r);
        Value g = b.mul(b.mul(cotangent, lanes.load(weight, {c})), rate);
        lanes.store(b.sub(g, b.mul(value, lanes.splat(back))), dx, {row, c});
        Value sum = b.mulAdd(b.mul(value, rate), cotangent, lanes.load(dweight, {group, c}));
        lanes.store(sum, dweight, {group, c});
      });
    });
  });
  return success();
}

const KernelEmitter adjc::rmsNormEmitter{"ssm.rms_norm", rmsNormGrid, emitRmsNorm};
const KernelEmitter adjc::rmsNormAdjointEmitter{"adj.rms_norm_adjoint", rmsNormAdjointGrid, emitRmsNormAdjoint};
