//===- EmitElementwise.cpp - linalg.generic, residual and copies ------------------------------------------------===//
#include "PointwiseRegion.h"
#include "adjc/Kernels/Emitters.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;

/// Elements per group of a static vector.
static constexpr int64_t vectorBlock = 1024;

/// Elements of a group on a GPU, and how many points each of its threads reads before it computes any: what a block has
/// on its way from memory.
static constexpr int64_t gpuElements = 8192, gpuPoints = 4;

/// Whether results of this type are rows of channels, which threads of a GPU share out as one run of points.
static bool isRowsOfChannels(RankedTensorType type) {
  unsigned rowRank = getRowRank(type);
  return rowRank > 0 ? type.getRank() == rowRank + 1 : type.getRank() == 2 && type.hasStaticShape();
}

/// Rows, or elements of the leading dimension, that a group owns.
static int64_t getGroupBlock(KernelTarget target, RankedTensorType type) {
  if (target == KernelTarget::Gpu && isRowsOfChannels(type))
    return std::max<int64_t>(1, gpuElements / std::max<int64_t>(1, type.getShape().back()));
  return hasTokenRows(type) || type.getRank() > 1 ? getRowsPerGroup(target) : vectorBlock;
}

/// The grid of an elementwise kernel with results of this type.
static FailureOr<KernelGrid> getGrid(Operation *op, KernelTarget target, RankedTensorType type) {
  if (hasTokenRows(type))
    return makeGrid(target, GridUnit::Rows, getGroupBlock(target, type));
  if (!type.hasStaticShape())
    return op->emitOpError() << "computes a " << type
                             << "; an elementwise kernel computes token rows or a static tensor";
  int64_t leading = type.getRank() == 0 ? 1 : type.getDimSize(0);
  return makeGrid(target, GridUnit::One, 1, llvm::divideCeil(leading, getGroupBlock(target, type)));
}

namespace {
/// One input: where its elements lie for a point of the iteration space (the dimensions of the result).
struct Input {
  KernelOperand operand;
  Value view;
  AffineMap map;
  bool rows;  ///< the view is indexed by the flattened row first
  bool lanes; ///< its last dimension is the one that lanes run over
};
} // namespace

/// Channels that a thread of a GPU reads and writes at once, where rows and addresses allow: 16 bytes of the widest
/// elements.
static int64_t getAccessWidth(int64_t channels, ArrayRef<Input> inputs, ArrayRef<KernelOperand> outputs) {
  SmallVector<KernelOperand> operands(outputs);
  for (const Input &input : inputs)
    if (input.lanes)
      operands.push_back(input.operand);
  return adjc::getAccessWidth(channels, operands);
}

/// Emits `body` for the points of a group, `width` channels of a row each, several to a call: a thread has every
/// threads-th of them.
static void forPoints(KernelBuilder &b, Value group, int64_t block, Value rows, int64_t channels, int64_t width,
                      function_ref<void(ArrayRef<std::pair<Value, Value>>)> body) {
  Value first = b.mul(group, b.index(block)), perRow = b.index(channels / width), thread = b.threadNumber();
  Value count = b.mul(b.sub(b.min(b.add(first, b.index(block)), rows), first), perRow);
  auto place = [&](Value point) {
    return std::pair(b.add(first, b.div(point, perRow)), b.mul(b.remainder(point, perRow), b.index(width)));
  };
  int64_t threads = b.getThreads();
  Value together = b.index(threads * gpuPoints);
  Value last = b.mul(b.div(count, together), together);
  b.loop(b.index(0), last, threads * gpuPoints, [&](Value base) {
    SmallVector<std::pair<Value, Value>> points;
    for (int64_t i = 0; i < gpuPoints; ++i)
      points.push_back(place(b.add(base, b.add(thread, b.index(i * threads)))));
    body(points);
  });
  b.loop(b.add(last, thread), count, threads, [&](Value point) { body(place(point)); });
}

/// Writes `body`'s values for every point: `body` gets the lanes and one value per input.
static LogicalResult emitPointwise(KernelContext &ctx, Operation *op, RankedTensorType type, ValueRange inputs,
                                   ArrayRef<AffineMap> maps, ArrayRef<KernelOperand> outputs,
                                   function_ref<SmallVector<Value>(const Lanes &, ArrayRef<Value>)> body) {
  KernelBuilder &b = ctx.b;
  unsigned rank = type.getRank(), rowRank = getRowRank(type);
  // A (batch, tokens) tensor has no channels: lanes run over its rows.
  bool rowsAreLanes = rowRank > 0 && rank == rowRank;
  AffineExpr laneDim = rank > 0 ? b.getAffineDimExpr(rank - 1) : AffineExpr();
  SmallVector<Input> sources;
  bool scalar = rank == 0;
  for (auto [tensor, map] : llvm::zip(inputs, maps)) {
    auto inputType = cast<RankedTensorType>(tensor.getType());
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return op->emitOpError() << "has an indexing map that is not a projection: " << AffineMapAttr::get(map);
    bool rows = rowRank > 0 && hasTokenRows(inputType) && map.getNumResults() >= rowRank;
    for (unsigned i = 0; rows && i < rowRank; ++i)
      rows = map.getResult(i) == b.getAffineDimExpr(i);
    bool usesLane = rank > 0 && llvm::is_contained(map.getResults(), laneDim);
    bool last = usesLane && map.getResults().back() == laneDim;
    // Lanes over rows, or over a dimension that is not this input's last one, are not contiguous here.
    if ((usesLane && !last) ||
        (rowsAreLanes && map.getNumResults() > 0 && (!rows || ctx.operand(tensor).rowStride != 1)))
      scalar = true;
    KernelOperand operand = ctx.operand(tensor);
    sources.push_back({operand, rows ? ctx.rowsView(operand) : ctx.fullView(operand), map, rows, last});
  }
  SmallVector<Value> targets;
  for (const KernelOperand &output : outputs) {
    scalar |= rowsAreLanes && output.rowStride != 1;
    targets.push_back(rowRank > 0 ? ctx.rowsView(output) : ctx.fullView(output));
  }

  /// `row` is the flattened row (null for a static result); point[i] the index along result dimension i.
  auto loadPoint = [&](const Lanes &lanes, Value row, ArrayRef<Value> point) {
    Lanes one(b, 1);
    SmallVector<Value> values;
    for (const Input &input : sources) {
      SmallVector<Value> indices;
      if (input.rows)
        indices.push_back(row);
      for (AffineExpr expr : input.map.getResults().drop_front(input.rows ? rowRank : 0)) {
        auto dim = dyn_cast<AffineDimExpr>(expr);
        if (!dim)
          indices.push_back(b.index(0));
        else if (dim.getPosition() >= rowRank)
          indices.push_back(point[dim.getPosition()]);
        else if (rowRank == 1)
          indices.push_back(row);
        else
          indices.push_back(dim.getPosition() == 0 ? b.div(row, ctx.tokens) : b.remainder(row, ctx.tokens));
      }
      values.push_back(input.lanes ? lanes.load(input.view, indices) : lanes.splat(one.load(input.view, indices)));
    }
    return values;
  };
  auto storePoint = [&](const Lanes &lanes, Value row, ArrayRef<Value> point, ArrayRef<Value> values) {
    SmallVector<Value> results = body(lanes, values);
    SmallVector<Value> place;
    if (rowRank > 0)
      place.push_back(row);
    llvm::append_range(place, point.drop_front(rowRank));
    for (auto [value, target] : llvm::zip(results, targets))
      ctx.write(lanes, value, target, place);
  };
  auto emitPoint = [&](const Lanes &lanes, Value row, ArrayRef<Value> point) {
    storePoint(lanes, row, point, loadPoint(lanes, row, point));
  };
  auto runLanes = [&](Value lo, Value hi, bool multiple, function_ref<void(const Lanes &, Value)> run) {
    if (b.getThreads())
      b.spread(lo, hi, [&](Value i) { run(Lanes(b, 1), i); });
    else if (scalar)
      b.loop(lo, hi, 1, [&](Value i) { run(Lanes(b, 1), i); });
    else
      forLanes(b, lo, hi, multiple, run);
  };
  /// Loops over dimensions dim .. rank - 1.
  std::function<void(Value, SmallVector<Value>)> emitDims = [&](Value row, SmallVector<Value> point) {
    unsigned dim = point.size();
    if (dim == rank)
      return emitPoint(Lanes(b, 1), row, point);
    int64_t extent = type.getDimSize(dim);
    auto inner = [&](const Lanes &lanes, Value i) {
      SmallVector<Value> next = point;
      next.push_back(i);
      if (dim + 1 == rank)
        emitPoint(lanes, row, next);
      else
        emitDims(row, next);
    };
    if (dim + 1 == rank)
      runLanes(b.index(0), b.index(extent), extent % laneCount == 0, inner);
    else
      b.loop(b.index(0), b.index(extent), 1, [&](Value i) { inner(Lanes(b, 1), i); });
  };

  if (b.getThreads() && isRowsOfChannels(type)) {
    int64_t width = scalar ? 1 : getAccessWidth(type.getShape().back(), sources, outputs);
    auto withRow = [&](Value row, Value channel) {
      SmallVector<Value> point(rank, row);
      point.back() = channel;
      return point;
    };
    Lanes lanes(b, width, /*aligned=*/true);
    Value rows = rowRank > 0 ? ctx.rows : b.index(type.getDimSize(0));
    ctx.forGroups([&](Value group) {
      forPoints(b, group, getGroupBlock(ctx.getTarget(), type), rows, type.getShape().back(), width,
                [&](ArrayRef<std::pair<Value, Value>> points) {
                  SmallVector<SmallVector<Value>> values;
                  for (auto [row, channel] : points)
                    values.push_back(loadPoint(lanes, row, withRow(row, channel)));
                  for (auto [place, loaded] : llvm::zip(points, values))
                    storePoint(lanes, place.first, withRow(place.first, place.second), loaded);
                });
    });
    return success();
  }

  ctx.forGroups([&](Value group) {
    if (rowsAreLanes) {
      int64_t block = getRowsPerGroup(ctx.getTarget());
      Value first = b.mul(group, b.index(block));
      Value last = b.min(b.add(first, b.index(block)), ctx.rows);
      runLanes(first, last, /*multiple=*/false,
               [&](const Lanes &lanes, Value row) { emitPoint(lanes, row, SmallVector<Value>(rowRank, Value())); });
    } else if (rowRank > 0) {
      ctx.forRowsOfGroup(group, getRowsPerGroup(ctx.getTarget()), ctx.rows,
                         [&](Value row) { emitDims(row, SmallVector<Value>(rowRank, Value())); });
    } else if (rank == 0) {
      b.once([&] { emitPoint(Lanes(b, 1), Value(), {}); });
    } else {
      int64_t block = getGroupBlock(ctx.getTarget(), type), extent = type.getDimSize(0);
      Value first = b.mul(group, b.index(block));
      Value last = b.min(b.add(first, b.index(block)), b.index(extent));
      if (rank == 1)
        runLanes(first, last, extent % laneCount == 0,
                 [&](const Lanes &lanes, Value i) { emitPoint(lanes, Value(), i); });
      else
        b.loop(first, last, 1, [&](Value i) { emitDims(Value(), SmallVector<Value>{i}); });
    }
  });
  return success();
}

//===------------------------------------------------------------------------------------------------------------===//
// linalg.generic
//===------------------------------------------------------------------------------------------------------------===//

static FailureOr<KernelGrid> genericGrid(Operation *op, KernelTarget target) {
  if (failed(verifyPointwise(cast<linalg::GenericOp>(op))))
    return failure();
  return getGrid(op, target, cast<RankedTensorType>(op->getResult(0).getType()));
}

static LogicalResult emitGeneric(KernelContext &ctx, Operation *op) {
  auto generic = cast<linalg::GenericOp>(op);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<int64_t> argumentOfInput;
  SmallVector<std::optional<unsigned>> tied = getTiedInputs(ctx.getKernel());
  for (OpOperand &operand : op->getOpOperands()) {
    // What lies in `outs` is read only if the region reads it.
    bool init = generic.isDpsInit(&operand);
    if (init && generic.getBody()->getArgument(operand.getOperandNumber()).use_empty())
      continue;
    if (getFilledValue(operand.get()))
      continue;
    auto argument = dyn_cast<BlockArgument>(operand.get());
    if (!isa<RankedTensorType>(operand.get().getType()) || !argument)
      return op->emitOpError() << "reads operand #" << operand.getOperandNumber()
                               << ", which is not a tensor argument of the kernel";
    AffineMap map = generic.getMatchingIndexingMap(&operand);
    if (!map.isIdentity() && llvm::is_contained(tied, std::optional<unsigned>(argument.getArgNumber())))
      return op->emitOpError() << "overwrites operand #" << operand.getOperandNumber()
                               << " while it is read out of order; give `outs` a tensor.empty";
    inputs.push_back(operand.get());
    maps.push_back(map);
    argumentOfInput.push_back(operand.getOperandNumber());
  }
  SmallVector<KernelOperand> outputs;
  SmallVector<unsigned> resultNumbers;
  for (auto [number, value] : llvm::enumerate(ctx.getKernel().getBody().front().getTerminator()->getOperands())) {
    outputs.push_back(ctx.output(number));
    resultNumbers.push_back(cast<OpResult>(value).getResultNumber());
    if (cast<RankedTensorType>(value.getType()).getShape() != type.getShape() ||
        cast<RankedTensorType>(value.getType()).getEncoding() != type.getEncoding())
      return op->emitOpError() << "must have results of one shape";
  }
  return emitPointwise(ctx, op, type, inputs, maps, outputs, [&](const Lanes &lanes, ArrayRef<Value> values) {
    SmallVector<Value> arguments(op->getNumOperands());
    for (auto [value, argument] : llvm::zip(values, argumentOfInput))
      arguments[argument] = value;
    SmallVector<Value> all = evaluateRegion(ctx.b, generic, lanes, arguments), results;
    for (unsigned number : resultNumbers)
      results.push_back(all[number]);
    return results;
  });
}

/// A result takes the buffer of its `outs` operand where that is an argument of the kernel.
static Value getTiedOut(Operation *op, unsigned result) {
  return cast<linalg::GenericOp>(op).getDpsInitOperand(result)->get();
}

//===------------------------------------------------------------------------------------------------------------===//
// Residual, conversion, copy and fill
//===------------------------------------------------------------------------------------------------------------===//

static FailureOr<KernelGrid> resultGrid(Operation *op, KernelTarget target) {
  return getGrid(op, target, cast<RankedTensorType>(op->getResult(0).getType()));
}

/// The load extends, the store rounds.
static LogicalResult emitConversion(KernelContext &ctx, Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), op->getContext());
  return emitPointwise(ctx, op, type, op->getOperands(), identity, ctx.output(0),
                       [&](const Lanes &, ArrayRef<Value> values) { return SmallVector<Value>(values); });
}

static LogicalResult emitResidual(KernelContext &ctx, Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), op->getContext());
  return emitPointwise(
      ctx, op, type, op->getOperands(), {identity, identity}, ctx.output(0),
      [&](const Lanes &, ArrayRef<Value> values) { return SmallVector<Value>{ctx.b.add(values[0], values[1])}; });
}

static FailureOr<KernelGrid> copyGrid(Operation *op, KernelTarget target) {
  if (op->getNumOperands() != 1)
    return op->emitOpError() << "of a kernel without an operation must have one operand to copy";
  return getGrid(op, target, cast<RankedTensorType>(op->getOperand(0).getType()));
}

static LogicalResult emitCopy(KernelContext &ctx, Operation *op) {
  auto type = cast<RankedTensorType>(op->getOperand(0).getType());
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), op->getContext());
  return emitPointwise(ctx, op, type, op->getOperands(), identity, ctx.output(0),
                       [&](const Lanes &, ArrayRef<Value> values) { return SmallVector<Value>(values); });
}

static LogicalResult emitFill(KernelContext &ctx, Operation *op) {
  auto value = getFilledValue(op->getResult(0));
  if (!value)
    return op->emitOpError() << "must fill with a constant";
  return emitPointwise(ctx, op, cast<RankedTensorType>(op->getResult(0).getType()), {}, {}, ctx.output(0),
                       [&](const Lanes &lanes, ArrayRef<Value>) {
                         Value scalar = arith::ConstantOp::create(ctx.b, cast<TypedAttr>(value.getValue()));
                         return SmallVector<Value>{lanes.splat(scalar)};
                       });
}

const KernelEmitter adjc::elementwiseEmitter{"linalg.generic", genericGrid, emitGeneric, getTiedOut,
                                             /*accumulates=*/true};
const KernelEmitter adjc::residualEmitter{"ssm.residual", resultGrid, emitResidual};
const KernelEmitter adjc::roundEmitter{"arith.truncf", resultGrid, emitConversion};
const KernelEmitter adjc::extendEmitter{"arith.extf", resultGrid, emitConversion};
const KernelEmitter adjc::copyEmitter{"adj.yield", copyGrid, emitCopy, /*tied=*/nullptr, /*accumulates=*/true};
const KernelEmitter adjc::fillEmitter{"linalg.fill", resultGrid, emitFill};
