//===- ReverseRepeat.cpp - the adjoint of a stack of layers -----------------------------------------------------===//
#include "Reverse.h"
#include "adj/ScalarRules.h"
#include "adjc/Expand/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using adjc::Reverse;

/// Cheap enough to compute again in the reverse body: parameters, constants, sizes, views, and what depends on
/// parameters alone.
static bool isRecomputed(Operation *op) {
  if (isa<ssm::ParameterOp, arith::ConstantOp, tensor::EmptyOp, tensor::DimOp, ssm::SplitOp, ssm::ReshapeOp>(op))
    return true;
  return isMemoryEffectFree(op) && op->getNumRegions() <= 1 && llvm::all_of(op->getResultTypes(), [](Type type) {
           auto ranked = dyn_cast<RankedTensorType>(type);
           return ranked && ranked.hasStaticShape();
         });
}

ssm::RepeatOp Reverse::stackAndSlice(ssm::RepeatOp forward, Block &body, SmallVectorImpl<Value> &stacks) {
  Block &forwardBody = forward.getBody().front();
  auto belongs = [&](Value v) { return v.getParentBlock() == &forwardBody; };

  // What must be saved: what the reverse body reads, seen through what is computed again.
  llvm::SetVector<Value> saved;
  llvm::SetVector<Operation *> recomputed;
  std::function<void(Value)> need = [&](Value v) {
    if (!belongs(v))
      return;
    Operation *op = v.getDefiningOp();
    if (!op || !isRecomputed(op)) {
      saved.insert(v);
      return;
    }
    if (recomputed.contains(op))
      return;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        need(operand);
    });
    recomputed.insert(op);
  };
  body.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      need(operand);
  });
  numSaved += saved.size();

  // Forward: yield and stack them.
  Operation *yield = forwardBody.getTerminator();
  yield->insertOperands(yield->getNumOperands(), saved.getArrayRef());
  SmallVector<Type> types(forward.getResultTypes());
  for (Value v : saved)
    types.push_back(ssm::RepeatOp::getStackedType(forward.getCount(), cast<RankedTensorType>(v.getType())));
  rewriter.setInsertionPoint(forward);
  auto stacking = ssm::RepeatOp::create(rewriter, forward.getLoc(), types, forward.getCountAttr(), forward.getInits(),
                                        forward.getSlices(), forward.getReverseAttr());
  stacking.getBody().takeBody(forward.getBody());
  for (auto [before, now] : llvm::zip(forward.getResults(), stacking.getResults())) {
    before.replaceAllUsesWith(now);
    if (Value g = cotangents.lookup(before))
      cotangents[now] = g;
    cotangents.erase(before);
  }
  llvm::append_range(stacks, stacking.getResults().drop_front(forward.getNumResults()));
  rewriter.eraseOp(forward);

  // Reverse: slices, then what is computed again, at the head of the body.
  IRMapping mapping;
  for (Value v : saved)
    mapping.map(v, body.addArgument(v.getType(), v.getLoc()));
  OpBuilder head(body.getParentOp() ? body.getParentOp()->getContext() : forwardBody.getParentOp()->getContext());
  head.setInsertionPointToStart(&body);
  llvm::SmallPtrSet<Operation *, 16> clones;
  for (Operation *op : recomputed)
    clones.insert(head.clone(*op, mapping));
  body.walk([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      if (Value v = mapping.lookupOrNull(operand.get()))
        operand.set(v);
  });
  return stacking;
}

static Value zeroLike(OpBuilder &builder, Location loc, Value like) {
  ImplicitLocOpBuilder b(loc, builder);
  return adjc::elementwise(b, like, [](ImplicitLocOpBuilder &inner, ValueRange v) -> Value {
    return arith::ConstantOp::create(inner, inner.getZeroAttr(v[0].getType()));
  });
}

/// Every value that a stack's body hands on is made in the body and handed on once, or is carried as it is: its place
/// is that of the carried value.
static void separateYields(Block &body) {
  Operation *yield = body.getTerminator();
  ImplicitLocOpBuilder b(yield->getLoc(), yield);
  llvm::DenseSet<Value> seen;
  for (OpOperand &operand : yield->getOpOperands()) {
    Value value = operand.get();
    auto argument = dyn_cast<BlockArgument>(value);
    bool own = argument ? argument.getOwner() == &body && argument.getArgNumber() == operand.getOperandNumber()
                        : value.getParentBlock() == &body;
    if (seen.insert(value).second && own)
      continue;
    operand.set(adjc::elementwise(b, value, [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; }));
  }
}

/// What a stack's layers read of the program around it and has a cotangent: the sum over the layers.
static SmallVector<Value> getDifferentiableCaptures(ssm::RepeatOp op) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getBody(), captured);
  return llvm::filter_to_vector(captured, [](Value value) {
    return adj::isDifferentiable(value.getType()) && !value.getDefiningOp<ssm::ParameterOp>() &&
           !matchPattern(value, m_Constant());
  });
}

LogicalResult Reverse::repeat(ssm::RepeatOp op, OpBuilder &b) {
  Location loc = op.getLoc();
  Block &forwardBody = op.getBody().front();
  separateYields(forwardBody);
  SmallVector<Value> captures = getDifferentiableCaptures(op);
  // The reverse stack carries the cotangents of what the forward one carries, then those of what all layers read.
  SmallVector<Value> starts;
  for (Value value : llvm::concat<Value>(SmallVector<Value>(op.getFinals()), captures)) {
    Value g = cotangents.lookup(value);
    starts.push_back(g ? g : zeroLike(b, loc, value));
  }

  // The reverse body, still reading the forward body's values.
  auto body = std::make_unique<Block>();
  for (Value g : starts)
    body->addArgument(g.getType(), loc);
  for (auto [yielded, g] : llvm::zip(forwardBody.getTerminator()->getOperands(), body->getArguments()))
    cotangents[yielded] = g;
  for (auto [capture, g] : llvm::zip(captures, body->getArguments().take_back(captures.size())))
    cotangents[capture] = g;
  OpBuilder inner(op.getContext());
  inner.setInsertionPointToStart(body.get());
  SmallVector<Operation *> ops;
  for (Operation &o : forwardBody.without_terminator())
    ops.push_back(&o);
  if (failed(block(ops, inner)))
    return failure();
  SmallVector<Value> yields;
  for (auto [number, argument] : llvm::enumerate(op.getCarriedArgs())) {
    Value g = cotangents.lookup(argument);
    yields.push_back(g ? g : zeroLike(inner, loc, body->getArgument(number)));
  }
  for (Value capture : captures)
    yields.push_back(cotangents.lookup(capture));
  ssm::YieldOp::create(inner, loc, yields);
  separateYields(*body);

  SmallVector<Value> stacks, inits(op.getInits());
  IntegerAttr count = op.getCountAttr();
  stackAndSlice(op, *body, stacks);
  SmallVector<Type> types(ValueRange(starts).getTypes());
  auto reverse = ssm::RepeatOp::create(b, loc, types, count, starts, stacks, b.getUnitAttr());
  reverse.getBody().push_back(body.release());
  auto finals = reverse.getFinals();
  for (auto [capture, g] : llvm::zip(captures, finals.take_back(captures.size())))
    cotangents[capture] = g;
  for (auto [init, g] : llvm::zip(inits, finals))
    addCotangent(b, init, g);
  return success();
}
