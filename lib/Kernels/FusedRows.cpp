//===- FusedRows.cpp - pointwise operations computed in another operation's kernel ------------------------------===//
#include "FusedRows.h"
#include "PointwiseRegion.h"
#include "adjc/Kernels/Emitters.h"

using namespace mlir;
using namespace adjc;

/// Whether tensors of this type are token rows of channels.
static bool hasChannelRows(RankedTensorType type) {
  unsigned rowRank = getRowRank(type);
  return rowRank > 0 && type.getRank() == rowRank + 1;
}

/// The last dimension alone.
static bool isChannel(AffineMap map) {
  return map.getNumResults() == 1 && map.getResult(0) == getAffineDimExpr(map.getNumDims() - 1, map.getContext());
}

bool adjc::isRowPointwise(linalg::GenericOp generic) {
  if (generic.getNumResults() == 0 || generic.getNumParallelLoops() != generic.getNumLoops())
    return false;
  auto type = cast<RankedTensorType>(generic.getResult(0).getType());
  if (!hasChannelRows(type))
    return false;
  return llvm::all_of(generic->getOpOperands(), [&](OpOperand &operand) {
    auto other = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!other)
      return false;
    AffineMap map = generic.getMatchingIndexingMap(&operand);
    bool rows = map.isIdentity() && other.getShape() == type.getShape() && other.getEncoding() == type.getEncoding();
    if (generic.isDpsInit(&operand))
      return rows;
    return rows || getFilledValue(operand.get()) || (isChannel(map) && other.hasStaticShape());
  });
}

FusedRows::FusedRows(KernelContext &context, Operation *main) : context(context) {
  Block &body = context.getKernel().getBody().front();
  auto addView = [&](Value tensor, const KernelOperand &operand) {
    RankedTensorType type = operand.type;
    if (hasChannelRows(type))
      views[tensor] = {operand, context.rowsView(operand)};
    else if (type.getRank() == 1 && type.hasStaticShape())
      views[tensor] = {operand, context.fullView(operand)};
  };
  for (BlockArgument argument : body.getArguments())
    addView(argument, context.operand(argument));
  for (auto [number, value] : llvm::enumerate(body.getTerminator()->getOperands()))
    addView(value, context.output(number));
  llvm::SmallPtrSet<Operation *, 4> known{main};
  for (auto generic : body.getOps<linalg::GenericOp>())
    if (generic != main && llvm::any_of(generic->getOperands(), [&](Value operand) {
          return operand.getDefiningOp() && known.contains(operand.getDefiningOp());
        })) {
      known.insert(generic);
      following.push_back(generic);
    }
}

int64_t FusedRows::getWidth(int64_t channels) const {
  SmallVector<KernelOperand> operands;
  for (auto &[tensor, view] : views)
    if (view.first.type.getShape().back() == channels)
      operands.push_back(view.first);
  return getAccessWidth(channels, operands);
}

Value FusedRows::load(Point &point, Value tensor, ValueRange indices) {
  Value &value = point.values[tensor];
  if (!value)
    value = point.lanes.load(views[tensor].second, indices);
  return value;
}

void FusedRows::store(Point &point, Value tensor, Value value) {
  if (context.isOutput(tensor))
    context.write(point.lanes, value, views[tensor].second, {point.row, point.channel});
}

bool FusedRows::isKnown(const Point &point, Value tensor) const {
  Operation *producer = tensor.getDefiningOp();
  return !producer || isa<linalg::FillOp, tensor::EmptyOp>(producer) || point.values.contains(tensor);
}

Value FusedRows::read(Point &point, Value tensor) {
  auto generic = tensor.getDefiningOp<linalg::GenericOp>();
  if (generic && !point.values.contains(tensor) && !(point.again && context.isOutput(tensor)))
    evaluate(point, generic);
  return load(point, tensor, {point.row, point.channel});
}

void FusedRows::evaluate(Point &point, linalg::GenericOp generic) {
  KernelBuilder &b = context.b;
  SmallVector<Value> arguments;
  for (OpOperand &operand : generic->getOpOperands()) {
    if (getFilledValue(operand.get()) || generic.getMatchingBlockArgument(&operand).use_empty())
      arguments.push_back(Value());
    else if (isChannel(generic.getMatchingIndexingMap(&operand)))
      arguments.push_back(load(point, operand.get(), point.channel));
    else
      arguments.push_back(read(point, operand.get()));
  }
  SmallVector<Value> results = evaluateRegion(b, generic, point.lanes, arguments);
  for (auto [tensor, value] : llvm::zip(generic.getResults(), results)) {
    store(point, tensor, value);
    // Whoever reads it reads what would have been stored.
    point.values[tensor] = b.extended(b.rounded(value, getElementTypeOrSelf(tensor.getType())));
  }
}

void FusedRows::write(Point &point, Value tensor, Value value) {
  KernelBuilder &b = context.b;
  store(point, tensor, value);
  if (following.empty())
    return;
  point.values[tensor] = b.extended(b.rounded(value, getElementTypeOrSelf(tensor.getType())));
  for (linalg::GenericOp generic : following)
    if (!point.values.contains(generic.getResult(0)) &&
        llvm::all_of(generic->getOperands(), [&](Value operand) { return isKnown(point, operand); }))
      evaluate(point, generic);
}
