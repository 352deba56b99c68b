//===- EmitElementwise.cpp - linalg.generic, residual and copies ------------------------------------------------===//
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;

/// Elements per group of a static vector.
static constexpr int64_t vectorBlock = 1024;

/// Elements of the leading dimension that a group owns.
static int64_t getStaticBlock(KernelTarget target, RankedTensorType type) {
  return type.getRank() <= 1 ? vectorBlock : getRowsPerGroup(target);
}

/// The grid of an elementwise kernel with results of this type.
static FailureOr<KernelGrid> getGrid(Operation *op, KernelTarget target, RankedTensorType type) {
  if (hasTokenRows(type))
    return makeGrid(target, GridUnit::Rows, getRowsPerGroup(target));
  if (!type.hasStaticShape())
    return op->emitOpError() << "computes a " << type
                             << "; an elementwise kernel computes token rows or a static tensor";
  int64_t leading = type.getRank() == 0 ? 1 : type.getDimSize(0);
  return makeGrid(target, GridUnit::One, 1, llvm::divideCeil(leading, getStaticBlock(target, type)));
}

namespace {
/// One input: where its elements lie for a point of the iteration space (the dimensions of the result).
struct Input {
  Value view;
  AffineMap map;
  bool rows;  ///< the view is indexed by the flattened row first
  bool lanes; ///< its last dimension is the one that lanes run over
};
} // namespace

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
    sources.push_back({rows ? ctx.rowsView(tensor) : ctx.fullView(tensor), map, rows, last});
  }
  SmallVector<Value> targets;
  for (const KernelOperand &output : outputs) {
    scalar |= rowsAreLanes && output.rowStride != 1;
    targets.push_back(rowRank > 0 ? ctx.rowsView(output) : ctx.fullView(output));
  }

  /// `row` is the flattened row (null for a static result); point[i] the index along result dimension i.
  auto emitPoint = [&](const Lanes &lanes, Value row, ArrayRef<Value> point) {
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
    SmallVector<Value> results = body(lanes, values);
    SmallVector<Value> place;
    if (rowRank > 0)
      place.push_back(row);
    llvm::append_range(place, point.drop_front(rowRank));
    for (auto [value, target] : llvm::zip(results, targets))
      ctx.write(lanes, value, target, place);
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
      int64_t block = getStaticBlock(ctx.getTarget(), type), extent = type.getDimSize(0);
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
  auto generic = cast<linalg::GenericOp>(op);
  if (generic.getNumResults() == 0)
    return op->emitOpError() << "must compute tensors";
  if (generic.getNumParallelLoops() != generic.getNumLoops())
    return op->emitOpError() << "has a reduction; an elementwise kernel has none";
  for (OpOperand &init : generic.getDpsInitsMutable())
    if (!generic.getMatchingIndexingMap(&init).isIdentity())
      return op->emitOpError() << "must write its results in order (identity maps)";
  for (Operation &scalar : generic.getBody()->without_terminator()) {
    if (isa<arith::ConstantOp>(scalar))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&scalar))
      return scalar.emitOpError() << "is not a scalar operation that an elementwise kernel can compute";
    if (!isa<arith::TruncFOp>(scalar) && scalar.getResult(0).getType().isBF16())
      return scalar.emitOpError() << "computes in bf16; extend its operands to f32, and round its result";
  }
  return getGrid(op, target, cast<RankedTensorType>(op->getResult(0).getType()));
}

/// The constant that a tensor is filled with, or null.
static arith::ConstantOp getFilledValue(Value tensor) {
  auto fill = tensor.getDefiningOp<linalg::FillOp>();
  return fill ? fill.getInputs()[0].getDefiningOp<arith::ConstantOp>() : arith::ConstantOp();
}

/// Whether `op` rounds a value that is then stored: the store does that.
static bool isRoundedByStore(Operation &op) {
  return isa<arith::TruncFOp>(op) && llvm::all_of(op.getUsers(), llvm::IsaPred<linalg::YieldOp>);
}

/// Evaluates the region on lanes: each scalar operation again, on vectors. What is in bf16 comes extended, and is kept
/// so.
static SmallVector<Value> evaluate(KernelBuilder &b, linalg::GenericOp generic, const Lanes &lanes,
                                   ArrayRef<Value> arguments) {
  IRMapping mapping;
  for (auto [argument, value] : llvm::zip(generic.getBody()->getArguments(), arguments))
    mapping.map(argument, value);
  auto getConstant = [&](arith::ConstantOp op) {
    return lanes.splat(b.extended(arith::ConstantOp::create(b, cast<TypedAttr>(op.getValue()))));
  };
  // A constant may also stand in the kernel, outside of the region.
  auto mapOutside = [&](Value operand) {
    if (!mapping.contains(operand))
      if (auto constant = operand.getDefiningOp<arith::ConstantOp>())
        mapping.map(operand, getConstant(constant));
  };
  for (Operation &op : generic.getBody()->without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      mapping.map(constant.getResult(), getConstant(constant));
      continue;
    }
    llvm::for_each(op.getOperands(), mapOutside);
    if (isa<arith::ExtFOp>(op) || isRoundedByStore(op)) {
      mapping.map(op.getResult(0), mapping.lookup(op.getOperand(0)));
      continue;
    }
    if (isa<arith::TruncFOp>(op)) {
      Value rounded = b.rounded(mapping.lookup(op.getOperand(0)), b.getBF16Type());
      mapping.map(op.getResult(0), b.extended(rounded));
      continue;
    }
    Operation *copy = b.clone(op, mapping);
    for (OpResult result : copy->getResults())
      result.setType(lanes.type(result.getType()));
  }
  SmallVector<Value> results;
  for (Value value : generic.getBody()->getTerminator()->getOperands()) {
    mapOutside(value);
    results.push_back(mapping.lookup(value));
  }
  return results;
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
    // Filled operands are constants; block arguments that nothing uses need a value of no consequence.
    for (auto [argument, operand, value] : llvm::zip(generic.getBody()->getArguments(), op->getOperands(), arguments)) {
      if (auto constant = getFilledValue(operand))
        value = lanes.splat(ctx.b.extended(arith::ConstantOp::create(ctx.b, cast<TypedAttr>(constant.getValue()))));
      else if (argument.use_empty())
        value = ctx.b.constant(lanes.type(argument.getType()), 0);
    }
    for (auto [value, argument] : llvm::zip(values, argumentOfInput))
      arguments[argument] = value;
    SmallVector<Value> all = evaluate(ctx.b, generic, lanes, arguments), results;
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
