//===- DeriveAdjoint.cpp - from a model to its gradient program -------------------------------------------------===//
#include "Reverse.h"
#include "adj/ScalarRules.h"
#include "adjc/Adjoint/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

namespace adjc {
#define GEN_PASS_DEF_DERIVEADJOINT
#include "adjc/Adjoint/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using adjc::Reverse;

void Reverse::addCotangent(OpBuilder &b, Value value, Value cotangent) {
  Location loc = cotangent.getLoc();
  if (auto parameter = value.getDefiningOp<ssm::ParameterOp>()) {
    adj::AccumulateOp::create(b, loc, parameter.getNameAttr(), cotangent);
    return;
  }
  Value &slot = cotangents[value];
  slot = slot ? ssm::ResidualOp::create(b, loc, slot.getType(), slot, cotangent).getResult() : cotangent;
}

LogicalResult Reverse::block(ArrayRef<Operation *> forward, OpBuilder &b) {
  for (Operation *op : llvm::reverse(forward)) {
    SmallVector<Value> g;
    for (Value result : op->getResults())
      g.push_back(cotangents.lookup(result));
    if (llvm::none_of(g, [](Value v) { return bool(v); }))
      continue;
    if (auto repeatOp = dyn_cast<ssm::RepeatOp>(op)) {
      if (failed(repeat(repeatOp, b)))
        return failure();
      continue;
    }
    if (auto mini = dyn_cast<adj::MiniSequencesOp>(op)) {
      if (failed(miniSequences(mini, g, b)))
        return failure();
      continue;
    }
    if (isa<tensor::EmptyOp, arith::ConstantOp>(op))
      continue;
    auto differentiable = dyn_cast<adj::AdjointOpInterface>(op);
    if (!differentiable)
      return op->emitOpError(
          "has no adjoint but lies between a parameter and the loss; expand it (ssm-expand-layers) or give it "
          "AdjointOpInterface");
    FailureOr<SmallVector<Value>> operands = differentiable.buildAdjoint(b, g);
    if (failed(operands))
      return failure();
    for (auto [operand, cotangent] : llvm::zip(op->getOperands(), *operands))
      if (cotangent)
        addCotangent(b, operand, cotangent);
  }
  return success();
}

/// A parameter's cotangent is accumulated inside; any other value from outside that has one would need the sum over all
/// mini-sequences.
static LogicalResult checkCaptures(adj::MiniSequencesOp op) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getBody(), captured);
  for (Value value : captured)
    if (!matchPattern(value, m_Constant()) && adj::isDifferentiable(value.getType()) &&
        !value.getDefiningOp<ssm::ParameterOp>())
      return op.emitOpError(
          "reads a value from outside that is neither a parameter nor rows it was given; its cotangent, a sum over "
          "mini-sequences, is not built yet");
  return success();
}

/// The adjoint of a loop over mini-sequences is one: each computes what the forward one threw away again, then goes
/// back. Parameters' cotangents are accumulated mini-sequence by mini-sequence.
LogicalResult Reverse::miniSequences(adj::MiniSequencesOp op, ArrayRef<Value> g, OpBuilder &b) {
  if (failed(checkCaptures(op)))
    return failure();
  auto body = std::make_unique<Block>();
  Location loc = op.getLoc();
  IRMapping mapping;
  SmallVector<Value> operands(op.getOperands());
  for (Value argument : op.getBody().getArguments())
    mapping.map(argument, body->addArgument(argument.getType(), loc));
  SmallVector<Value> seeds(op.getNumResults());
  for (auto [result, cotangent] : llvm::enumerate(g))
    if (cotangent) {
      operands.push_back(cotangent);
      seeds[result] =
          body->addArgument(adj::MiniSequencesOp::getRowsType(cast<RankedTensorType>(cotangent.getType())), loc);
    }
  OpBuilder inner(op.getContext());
  inner.setInsertionPointToEnd(body.get());
  SmallVector<Operation *> again;
  for (Operation &forward : op.getBody().getOps())
    if (auto write = dyn_cast<adj::WriteRowsOp>(forward)) {
      if (Value seed = seeds[write.getResult()])
        addCotangent(inner, mapping.lookup(write.getValue()), seed);
    } else {
      again.push_back(inner.clone(forward, mapping));
    }
  if (failed(block(again, inner)))
    return failure();

  SmallVector<Value> differentiated;
  SmallVector<Type> types;
  for (auto [operand, argument] : llvm::zip(op.getOperands(), op.getBody().getArguments()))
    if (Value cotangent = cotangents.lookup(mapping.lookup(argument))) {
      adj::WriteRowsOp::create(inner, loc, inner.getI64IntegerAttr(differentiated.size()), cotangent);
      differentiated.push_back(operand);
      types.push_back(operand.getType());
    }
  // What only the forward results needed.
  for (Operation *operation : llvm::reverse(again))
    if (isOpTriviallyDead(operation)) {
      // A value made later may have the address of one that is gone.
      for (Value result : operation->getResults())
        cotangents.erase(result);
      operation->erase();
    }
  auto reverse = adj::MiniSequencesOp::create(b, loc, types, operands);
  reverse.getBody().getBlocks().clear();
  reverse.getBody().push_back(body.release());
  for (auto [operand, cotangent] : llvm::zip(differentiated, reverse.getResults()))
    addCotangent(b, operand, cotangent);
  return success();
}

namespace {

struct DeriveAdjoint : adjc::impl::DeriveAdjointBase<DeriveAdjoint> {
  void runOnOperation() override {
    for (auto model : llvm::make_early_inc_range(getOperation().getOps<ssm::ModelOp>()))
      if (failed(derive(model)))
        return signalPassFailure();
  }

  LogicalResult derive(ssm::ModelOp model) {
    OpBuilder b(model);
    Location loc = model.getLoc();
    Block &source = model.getBody().front();
    auto program = adj::ProgramOp::create(b, loc, "gradient");
    Block *body = b.createBlock(&program.getBody());
    IRMapping mapping;
    for (Value argument : source.getArguments())
      mapping.map(argument, body->addArgument(argument.getType(), loc));
    auto dynamic = SmallVector<int64_t>(2, ShapedType::kDynamic);
    body->addArgument(RankedTensorType::get(dynamic, b.getIntegerType(8)), loc);
    Value scale = body->addArgument(RankedTensorType::get({}, b.getF32Type()), loc);
    b.setInsertionPointToEnd(body);
    for (Operation &op : source.without_terminator())
      b.clone(op, mapping);
    Value loss = mapping.lookup(source.getTerminator()->getOperand(0));
    model.erase();

    nameCarries(program);
    IRRewriter rewriter(&getContext());
    SmallVector<adj::AdjointOpInterface> differentiable;
    program.walk([&](adj::AdjointOpInterface op) { differentiable.push_back(op); });
    for (adj::AdjointOpInterface op : differentiable)
      op.augmentForward(rewriter);

    SmallVector<Operation *> forward;
    for (Operation &op : *body)
      forward.push_back(&op);
    b.setInsertionPointToEnd(body);
    Reverse reverse(&getContext());
    reverse.addCotangent(b, loss, scale);
    if (failed(reverse.block(forward, b)))
      return failure();
    numSaved += reverse.numSaved;
    // The loss itself is recorded by its adjoint.
    if (loss.use_empty() && loss.getDefiningOp())
      rewriter.eraseOp(loss.getDefiningOp());
    return success();
  }

  /// "scan0", "conv1d0", ...: the same for an operation and its adjoint, unique within a program.
  void nameCarries(adj::ProgramOp program) {
    llvm::StringMap<unsigned> count;
    program.walk([&](adj::CarryOpInterface op) {
      StringRef kind = op->getName().stripDialect();
      op.setCarryScope((kind + Twine(count[kind]++)).str());
    });
  }
};

} // namespace
