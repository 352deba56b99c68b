//===- EmitRmsNorm.cpp - RMS norm and its adjoint ---------------------------------------------------------------===//
#include "FusedRows.h"
#include "RowTeam.h"
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "ssm/SsmOps.h"
#include <numeric>

using namespace mlir;
using namespace adjc;

/// Rows that a team of a GPU's threads takes one after the other, with the weight in registers.
static constexpr int64_t rowsPerTeam = 4;

template <typename Norm> static int64_t getChannels(Norm norm) {
  return getRowSize(cast<RankedTensorType>(norm.getX().getType()));
}

/// On a GPU, where a row fits its threads' registers.
static bool hasTeams(KernelTarget target, int64_t channels) {
  return target == KernelTarget::Gpu && RowTeam::fits(channels);
}

static FailureOr<KernelGrid> rmsNormGrid(Operation *op, KernelTarget target) {
  int64_t channels = getChannels(cast<ssm::RmsNormOp>(op));
  int64_t rows = hasTeams(target, channels) ? rowsPerTeam * RowTeam::getTeams(channels) : getRowsPerGroup(target);
  return makeGrid(target, GridUnit::Rows, rows);
}

/// 1 / sqrt(sum / channels + eps)
static Value inverseRms(KernelBuilder &b, Value sumOfSquares, int64_t channels, double eps) {
  Value mean = b.mul(sumOfSquares, b.f32(1.0 / channels));
  return b.div(b.f32(1.0), math::SqrtOp::create(b, b.add(mean, b.f32(eps))));
}

static void emitTeamNorm(KernelContext &ctx, ssm::RmsNormOp norm) {
  KernelBuilder &b = ctx.b;
  FusedRows fused(ctx, norm);
  int64_t channels = getChannels(norm);
  RowTeam team(ctx, channels, fused.getWidth(channels));
  Value weight = ctx.flatView(norm.getWeight());
  team.forTeams(rowsPerTeam, [&](Value, Value first, Value last) {
    auto weights =
        team.gather(1, [&](const Lanes &lanes, Value c) { return SmallVector<Value>{lanes.load(weight, {c})}; });
    b.loop(first, last, 1, [&](Value row) {
      auto x = team.gather(1, [&](const Lanes &lanes, Value c) {
        FusedRows::Point point(lanes, row, c);
        return SmallVector<Value>{fused.read(point, norm.getX())};
      });
      Value squares = team.getLanes().constant(0);
      for (ArrayRef<Value> piece : x)
        squares = b.mulAdd(piece[0], piece[0], squares);
      Value r = inverseRms(b, team.sum(squares)[0], channels, norm.getEps().convertToDouble());
      team.forPieces([&](const Lanes &lanes, Value c, unsigned piece) {
        FusedRows::Point point(lanes, row, c);
        Value scaled = b.mul(x[piece][0], lanes.splat(r));
        fused.write(point, norm.getResult(), b.mul(scaled, weights[piece][0]));
      });
    });
  });
}

static LogicalResult emitRmsNorm(KernelContext &ctx, Operation *op) {
  auto norm = cast<ssm::RmsNormOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t channels = getChannels(norm);
  if (hasTeams(ctx.getTarget(), channels)) {
    emitTeamNorm(ctx, norm);
    return success();
  }
  bool multiple = channels % laneCount == 0;
  FusedRows fused(ctx, op);
  Value weight = ctx.flatView(norm.getWeight());
  Value zero = b.index(0), end = b.index(channels);
  ctx.forRows(getRowsPerGroup(ctx.getTarget()), [&](Value row) {
    Value sum = reduceLanes(b, zero, end, multiple, Reduction::Sum, 1, [&](const Lanes &lanes, Value c) {
      FusedRows::Point point(lanes, row, c);
      Value value = fused.read(point, norm.getX());
      return SmallVector<Value>{b.mul(value, value)};
    })[0];
    Value r = inverseRms(b, sum, channels, norm.getEps().convertToDouble());
    forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value c) {
      FusedRows::Point point(lanes, row, c, /*again=*/true);
      Value scaled = b.mul(fused.read(point, norm.getX()), lanes.splat(r));
      fused.write(point, norm.getResult(), b.mul(scaled, lanes.load(weight, {c})));
    });
  });
  return success();
}

/// Rows of one partial sum of the weight's cotangent.
static int64_t getPartialRows(adj::RmsNormAdjointOp adjoint) {
  return getRowsPerPartial(cast<RankedTensorType>(adjoint.getDweight().getType()));
}

/// Those of the sums that teams leave in the workspace, of which a partial sum is the sum.
static int64_t getTeamRows(adj::RmsNormAdjointOp adjoint) {
  return static_cast<int64_t>(std::gcd(int64_t(8), getPartialRows(adjoint)));
}

static FailureOr<KernelGrid> rmsNormAdjointGrid(Operation *op, KernelTarget target) {
  auto adjoint = cast<adj::RmsNormAdjointOp>(op);
  int64_t channels = getChannels(adjoint);
  return makeGrid(target, GridUnit::Rows,
                  hasTeams(target, channels) ? getTeamRows(adjoint) * RowTeam::getTeams(channels)
                                             : getPartialRows(adjoint));
}

static KernelLaunches rmsNormAdjointLaunches(adj::KernelOp, Operation *op, KernelTarget target) {
  auto adjoint = cast<adj::RmsNormAdjointOp>(op);
  int64_t channels = getChannels(adjoint);
  KernelLaunches launches = oneLaunch(*rmsNormAdjointGrid(op, target));
  if (!hasTeams(target, channels))
    return launches;
  launches.list[0].suffix = "_rows";
  launches.list.push_back(
      {"_sums", makeGrid(target, GridUnit::Rows, getPartialRows(adjoint), llvm::divideCeil(channels, gpuThreads))});
  launches.workspace = channels;
  launches.workspaceTokens = getTeamRows(adjoint);
  return launches;
}

/// With r = 1/rms(x) and g = dy * w: dx = r g - x r^3 sum(g x) / channels and dw = sum over rows of dy x r.
static void emitTeamAdjoint(KernelContext &ctx, adj::RmsNormAdjointOp adjoint) {
  KernelBuilder &b = ctx.b;
  FusedRows fused(ctx, adjoint);
  int64_t channels = getChannels(adjoint);
  RowTeam team(ctx, channels, fused.getWidth(channels));
  Value weight = ctx.flatView(adjoint.getWeight()), workspace = ctx.workspaceView();
  team.forTeams(getTeamRows(adjoint), [&](Value number, Value first, Value last) {
    auto weights =
        team.gather(1, [&](const Lanes &lanes, Value c) { return SmallVector<Value>{lanes.load(weight, {c})}; });
    SmallVector<Value> none(team.getPieces(), team.getLanes().constant(0));
    SmallVector<Value> dweight = b.loop(first, last, 1, none, [&](Value row, ValueRange carried) {
      auto values = team.gather(2, [&](const Lanes &lanes, Value c) {
        FusedRows::Point point(lanes, row, c);
        return SmallVector<Value>{fused.read(point, adjoint.getX()), fused.read(point, adjoint.getCotangent())};
      });
      Value squares = team.getLanes().constant(0), products = squares;
      for (unsigned piece = 0; piece < team.getPieces(); ++piece) {
        Value x = values[piece][0], g = b.mul(values[piece][1], weights[piece][0]);
        squares = b.mulAdd(x, x, squares);
        products = b.mulAdd(g, x, products);
      }
      SmallVector<Value> sums = team.sum({squares, products});
      Value r = inverseRms(b, sums[0], channels, adjoint.getEps().convertToDouble());
      Value back = b.mul(b.mul(b.mul(r, r), r), b.mul(sums[1], b.f32(1.0 / channels)));
      team.forPieces([&](const Lanes &lanes, Value c, unsigned piece) {
        FusedRows::Point point(lanes, row, c);
        Value x = values[piece][0], rate = lanes.splat(r);
        Value g = b.mul(b.mul(values[piece][1], weights[piece][0]), rate);
        fused.write(point, adjoint.getDx(), b.sub(g, b.mul(x, lanes.splat(back))));
      });
      SmallVector<Value> next;
      for (unsigned piece = 0; piece < team.getPieces(); ++piece)
        next.push_back(b.mulAdd(b.mul(values[piece][0], team.getLanes().splat(r)), values[piece][1], carried[piece]));
      return next;
    });
    Value start = b.mul(number, b.index(channels));
    team.forPieces(
        [&](const Lanes &lanes, Value c, unsigned piece) { lanes.store(dweight[piece], workspace, b.add(start, c)); });
  });
}

/// Adds what teams left of the weight's cotangent: a thread has one channel of a partial sum.
static void emitTeamSums(KernelContext &ctx, adj::RmsNormAdjointOp adjoint) {
  KernelBuilder &b = ctx.b;
  int64_t channels = getChannels(adjoint), teamRows = getTeamRows(adjoint);
  int64_t columns = llvm::divideCeil(channels, gpuThreads), teams = getPartialRows(adjoint) / teamRows;
  Value dweight = ctx.fullView(adjoint.getDweight()), workspace = ctx.workspaceView();
  ctx.forGroups([&](Value group) {
    Value partial = b.div(group, b.index(columns));
    Value channel = b.add(b.mul(b.remainder(group, b.index(columns)), b.index(gpuThreads)), b.threadNumber());
    Value first = b.mul(partial, b.index(teams));
    Value last = b.min(b.add(first, b.index(teams)), b.ceilDiv(ctx.rows, teamRows));
    b.ifThen(b.compare(arith::CmpIPredicate::slt, channel, b.index(channels)), [&] {
      Value sum = b.loop(first, last, 1, b.f32(0), [&](Value team, ValueRange carried) {
        Value place = b.add(b.mul(team, b.index(channels)), channel);
        return SmallVector<Value>{b.add(carried[0], b.load(workspace, place))};
      })[0];
      b.store(sum, dweight, {partial, channel});
    });
  });
}

static LogicalResult emitRmsNormAdjoint(KernelContext &ctx, Operation *op) {
  auto adjoint = cast<adj::RmsNormAdjointOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t channels = getChannels(adjoint);
  if (hasTeams(ctx.getTarget(), channels)) {
    if (ctx.getLaunch() == 0)
      emitTeamAdjoint(ctx, adjoint);
    else
      emitTeamSums(ctx, adjoint);
    return success();
  }
  bool multiple = channels % laneCount == 0;
  FusedRows fused(ctx, op);
  Value weight = ctx.flatView(adjoint.getWeight());
  Value dweight = ctx.fullView(adjoint.getDweight());
  Value zero = b.index(0), end = b.index(channels);
  ctx.forGroups([&](Value group) {
    forLanes(b, zero, end, multiple,
             [&](const Lanes &lanes, Value c) { lanes.store(lanes.constant(0), dweight, {group, c}); });
    ctx.forRowsOfGroup(group, getPartialRows(adjoint), ctx.rows, [&](Value row) {
      SmallVector<Value> sums =
          reduceLanes(b, zero, end, multiple, Reduction::Sum, 2, [&](const Lanes &lanes, Value c) {
            FusedRows::Point point(lanes, row, c);
            Value value = fused.read(point, adjoint.getX());
            Value g = b.mul(fused.read(point, adjoint.getCotangent()), lanes.load(weight, {c}));
            return SmallVector<Value>{b.mul(value, value), b.mul(g, value)};
          });
      Value r = inverseRms(b, sums[0], channels, adjoint.getEps().convertToDouble());
      Value back = b.mul(b.mul(b.mul(r, r), r), b.mul(sums[1], b.f32(1.0 / channels)));
      forLanes(b, zero, end, multiple, [&](const Lanes &lanes, Value c) {
        FusedRows::Point point(lanes, row, c, /*again=*/true);
        Value value = fused.read(point, adjoint.getX()), cotangent = fused.read(point, adjoint.getCotangent());
        Value rate = lanes.splat(r);
        Value g = b.mul(b.mul(cotangent, lanes.load(weight, {c})), rate);
        fused.write(point, adjoint.getDx(), b.sub(g, b.mul(value, lanes.splat(back))));
        Value sum = b.mulAdd(b.mul(value, rate), cotangent, lanes.load(dweight, {group, c}));
        lanes.store(sum, dweight, {group, c});
      });
    });
  });
  return success();
}

const KernelEmitter adjc::rmsNormEmitter{
    .operation = "ssm.rms_norm", .grid = rmsNormGrid, .emit = emitRmsNorm, .fusedOperand = 0, .fusedResult = 0};
const KernelEmitter adjc::rmsNormAdjointEmitter{.operation = "adj.rms_norm_adjoint",
                                                .grid = rmsNormAdjointGrid,
                                                .emit = emitRmsNormAdjoint,
                                                .launches = rmsNormAdjointLaunches,
                                                .fusedResult = 0};
