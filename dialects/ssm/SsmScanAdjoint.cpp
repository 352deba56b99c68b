//===- SsmScanAdjoint.cpp - the adjoint recurrence, derived from a scan's regions -------------------------------===//
//
// With q[t] the cotangent of the state through the outputs at t, and c[t] what the token after t hands back:
//
//     p[t] = q[t] + c[t]                          the summed adjoint dL/dh[t]
//     cotangent of a[t] = p[t] h[t-1]^*    cotangent of u[t] = p[t]
//     c[t-1] = a[t]^* p[t]                        (0 at a reset)
//
// where * is the transpose of a dense transition and the conjugate of complex numbers. All else is reverse mode through
// the scalar regions; the transpose of a broadcast is a sum over the dimensions that a value lacks.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "adj/AdjOps.h"
#include "adj/ScalarRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssm/ScanCut.h"
#include "ssm/ScanDimensions.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Tokens between two saved states: the adjoint recomputes this many states at a time from one that was kept.
constexpr int64_t kCheckpointEvery = 16;

using Dims = llvm::SmallBitVector;

/// Which dimensions each value of the region under construction varies over.
class DimensionTracker {
public:
  explicit DimensionTracker(unsigned rank) : rank(rank) {}

  void set(Value value, Dims dims) { known[value] = std::move(dims); }

  Dims of(Value value) {
    if (auto it = known.find(value); it != known.end())
      return it->second;
    Dims dims(rank);
    if (Operation *op = value.getDefiningOp()) {
      for (Value operand : op->getOperands())
        dims |= of(operand);
      if (auto sum = dyn_cast<SumOp>(op))
        for (int64_t d : sum.getDims())
          dims.reset(d);
    }
    known[value] = dims;
    return dims;
  }

private:
  unsigned rank;
  llvm::DenseMap<Value, Dims> known;
};

/// Builds the `adjoint` region of one scan.
class AdjointRegionBuilder {
public:
  explicit AdjointRegionBuilder(ScanOp scan)
      : scan(scan), space(getSpace(scan)), tracker(space.rank()), local(space.none().flip()),
        sizes(scan.getDimSizes()) {
    local.reset(kBatchDim).reset(kTokenDim);
  }

  /// Fills `block` and yields. On success `differentiated` holds the numbers of the inputs that have a cotangent.
  LogicalResult build(Block *block, ArrayRef<Value> outputCotangents, SmallVectorImpl<int64_t> &differentiated);

private:
  Value sum(OpBuilder &b, Value value, Dims over) {
    if (over.none())
      return value;
    SmallVector<int64_t> dims;
    for (unsigned d : over.set_bits())
      dims.push_back(d);
    return SumOp::create(b, value.getLoc(), value.getType(), b.getDenseI64ArrayAttr(dims), value);
  }
  /// Sums at once over the dimensions that the target lacks: what follows is computed once for all of them, and
  /// contributions that vary over different dimensions can be added. (What follows a sum over the lane is linear in it
  /// and lacks the lane: a kernel may compute it on partial sums.)
  Value reduceEarly(OpBuilder &b, Value contribution, Value target, Value user) {
    Dims over = tracker.of(contribution);
    over.reset(tracker.of(target));
    over &= local;
    contribution = sum(b, contribution, over);
    if (!user)
      return contribution;
    // The cotangent of what a sum adds up is constant over the sum's dimensions, yet it comes from each of their
    // points.
    Dims repeated = tracker.of(user);
    repeated.reset(over).reset(tracker.of(target)).reset(tracker.of(contribution));
    repeated &= local;
    int64_t points = 1;
    for (unsigned dim : repeated.set_bits())
      points *= sizes[dim];
    return points == 1 ? contribution : scale(b, contribution, points);
  }
  Value scale(OpBuilder &b, Value value, int64_t factor) {
    Location loc = value.getLoc();
    Value real = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(static_cast<float>(factor)));
    if (!isa<ComplexType>(value.getType()))
      return arith::MulFOp::create(b, loc, value, real);
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    return complex::MulOp::create(b, loc, value, complex::CreateOp::create(b, loc, value.getType(), real, zero));
  }
  void clone(OpBuilder &b, Block &source, IRMapping &mapping, SmallVectorImpl<Operation *> &ops) {
    for (Operation &op : source.without_terminator())
      ops.push_back(b.clone(op, mapping));
  }

  /// x y^* of two scalars, real or complex.
  Value mulConjugate(OpBuilder &b, Value x, Value y) {
    Location loc = scan.getLoc();
    if (!isa<ComplexType>(x.getType()))
      return arith::MulFOp::create(b, loc, x, y);
    return complex::MulOp::create(b, loc, x, complex::ConjOp::create(b, loc, y));
  }

  ScanOp scan;
  ScanSpace space;
  DimensionTracker tracker;
  /// All dimensions but batch and token: those that a token sums over.
  Dims local;
  SmallVector<int64_t> sizes; ///< per dimension; dynamic for batch and token
};

LogicalResult AdjointRegionBuilder::build(Block *block, ArrayRef<Value> outputCotangents,
                                          SmallVectorImpl<int64_t> &differentiated) {
  Location loc = scan.getLoc();
  OpBuilder b(scan.getContext());
  b.setInsertionPointToStart(block);
  Type stateType = scan.getStateType();
  auto addArgument = [&](Type type, Dims dims) {
    Value argument = block->addArgument(type, loc);
    tracker.set(argument, std::move(dims));
    return argument;
  };
  SmallVector<Value> inputs, cotangents;
  for (auto [i, input] : llvm::enumerate(scan.getInputs()))
    inputs.push_back(addArgument(b.getF32Type(), space.of(scan.getInputMap(i))));
  for (auto [i, output] : llvm::enumerate(scan.getOutputs()))
    cotangents.push_back(addArgument(b.getF32Type(), space.of(scan.getOutputMap(i))));
  Value before = addArgument(stateType, space.ofStateBefore());
  Value after = addArgument(stateType, space.ofState());
  Value c = addArgument(stateType, space.ofState());
  Value reset = addArgument(b.getI1Type(), space.ofFlag());

  // The forward point, with the state after this token given.
  Block &step = scan.getStep().front(), &read = scan.getRead().front();
  IRMapping stepMapping, readMapping;
  unsigned n = inputs.size();
  for (unsigned i = 0; i < n; ++i) {
    stepMapping.map(step.getArgument(i), inputs[i]);
    readMapping.map(read.getArgument(i), inputs[i]);
  }
  stepMapping.map(step.getArgument(n), reset);
  readMapping.map(read.getArgument(n), after);
  readMapping.map(read.getArgument(n + 1), reset);
  SmallVector<Operation *> stepOps, readOps;
  clone(b, step, stepMapping, stepOps);
  clone(b, read, readMapping, readOps);
  Value a = stepMapping.lookupOrDefault(step.getTerminator()->getOperand(0));
  Value u = stepMapping.lookupOrDefault(step.getTerminator()->getOperand(1));

  // Back through the read-out: q, and what the inputs get from it.
  adj::ScalarAdjoint adjoint(
      b, [this](OpBuilder &b, Value v, Value target, Value user) { return reduceEarly(b, v, target, user); });
  for (auto [i, g] : llvm::enumerate(cotangents)) {
    if (!outputCotangents[i])
      continue;
    adjoint.seed(readMapping.lookupOrDefault(read.getTerminator()->getOperand(i)), g);
  }
  // The transpose of a sum is a broadcast: the same value, seen as varying over more dimensions.
  auto runBack = [&](ArrayRef<Operation *> ops) -> LogicalResult {
    for (Operation *op : llvm::reverse(ops)) {
      if (auto sumOp = dyn_cast<SumOp>(op)) {
        if (Value g = adjoint.lookup(sumOp.getResult()))
          adjoint.seed(sumOp.getValue(), g);
        continue;
      }
      if (failed(adjoint.run(op)))
        return failure();
    }
    return success();
  };
  if (failed(runBack(readOps)))
    return failure();

  // The adjoint recurrence, and back through the step.
  Value q = adjoint.lookup(after);
  Value p = c;
  if (q)
    p = isa<ComplexType>(stateType) ? complex::AddOp::create(b, loc, q, c).getResult()
                                    : arith::AddFOp::create(b, loc, q, c).getResult();
  adjoint.seed(a, mulConjugate(b, p, before));
  adjoint.seed(u, p);
  if (failed(runBack(stepOps)))
    return failure();

  Value next = mulConjugate(b, p, a);
  if (space.contracts)
    next = sum(b, next, Dims(space.none()).set(*space.contracts));
  SmallVector<Value> yields{next};
  for (auto [i, input] : llvm::enumerate(inputs)) {
    Value g = adjoint.lookup(input);
    if (!g)
      continue;
    Dims over = tracker.of(g);
    over.reset(space.of(scan.getInputMap(i)));
    over &= local;
    yields.push_back(sum(b, g, over));
    differentiated.push_back(i);
  }
  YieldOp::create(b, loc, yields);
  return success();
}

} // namespace

adj::AdjointOpInterface ScanOp::augmentForward(RewriterBase &rewriter) {
  if (getCheckpoints())
    return cast<adj::AdjointOpInterface>(getOperation());
  RankedTensorType state = getStateTensorType();
  SmallVector<int64_t> shape(state.getShape());
  shape.insert(shape.begin() + 1, ShapedType::kDynamic);
  auto type = RankedTensorType::get(shape, state.getElementType(),
                                    adj::BlocksAttr::get(getContext(), "tokens", kCheckpointEvery));
  rewriter.setInsertionPoint(*this);
  auto op = ScanOp::create(rewriter, getLoc(), TypeRange(getOutputs()), /*final=*/Type(), type, getInputs(),
                           getInitial(), getResets(), getDimsAttr(), getStateAttr(), getStateTypeAttr(),
                           getContractedAttr(), getContractsAttr(), getIndexingMapsAttr(),
                           rewriter.getI64IntegerAttr(kCheckpointEvery), getCarryNameAttr());
  rewriter.inlineRegionBefore(getStep(), op.getStep(), op.getStep().begin());
  rewriter.inlineRegionBefore(getRead(), op.getRead(), op.getRead().begin());
  rewriter.replaceOp(*this, op.getOutputs());
  return cast<adj::AdjointOpInterface>(op.getOperation());
}

FailureOr<SmallVector<Value>> ScanOp::buildAdjoint(OpBuilder &b, ArrayRef<Value> g) {
  if (!getCheckpoints() || getInitial() || getResets())
    return emitOpError("must be differentiated with checkpoints and before it is given carries (run adj-derive-adjoint "
                       "before adj-shard-tokens)");

  ScanCut cut = getScanCut(*this);
  ScanSpace space = getSpace(*this);
  SmallVector<int64_t> sizes = getDimSizes();
  auto block = std::make_unique<Block>();
  SmallVector<int64_t> differentiated;
  ArrayRef<Value> outputCotangents = g.take_front(getOutputs().size());
  if (failed(AdjointRegionBuilder(*this).build(block.get(), outputCotangents, differentiated)))
    return failure();

  // An output that does not reach the loss still has a place in the region: its own value stands in, unread.
  SmallVector<Value> cotangents;
  for (auto [i, output] : llvm::enumerate(getOutputs()))
    cotangents.push_back(outputCotangents[i] ? outputCotangents[i] : output);
  SmallVector<Type> types;
  for (int64_t i : differentiated)
    types.push_back(
        cut.getCotangentType(cast<RankedTensorType>(getInputs()[i].getType()), space.of(getInputMap(i)), sizes));
  auto op = adj::ScanAdjointOp::create(
      b, getLoc(), types, /*next_state_cotangent=*/Type(), getInputs(), cotangents, getCheckpoints(),
      /*state_cotangent=*/Value(), /*resets=*/Value(), getDimsAttr(), getStateAttr(), getStateTypeAttr(),
      getContractedAttr(), getContractsAttr(), getIndexingMapsAttr(), b.getDenseI64ArrayAttr(differentiated),
      getCheckpointEveryAttr(), b.getI64IntegerAttr(cut.lane), b.getI64IntegerAttr(cut.laneBlock),
      cut.grouped.empty() ? DenseI64ArrayAttr() : b.getDenseI64ArrayAttr(cut.grouped), getCarryNameAttr());
  op.getAdjoint().push_back(block.release());
  IRMapping mapping;
  getStep().cloneInto(&op.getStep(), mapping);

  SmallVector<Value> result(getOperation()->getNumOperands());
  for (auto [k, i] : llvm::enumerate(differentiated)) {
    Value cotangent = op.getInputCotangents()[k];
    if (cotangent.getType() != getInputs()[i].getType())
      cotangent = adj::SumPartialsOp::create(b, getLoc(), getInputs()[i].getType(), cotangent);
    result[i] = cotangent;
  }
  return result;
}
