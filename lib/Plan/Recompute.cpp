//===- Recompute.cpp - compute again what layers would keep for their adjoints ---------------------------------===//
#include "adj/AdjOps.h"
#include "adjc/Plan/Passes.h"
#include "adjc/Plan/Plan.h"
#include "adjc/Plan/TapeValues.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace adjc {
#define GEN_PASS_DEF_RECOMPUTE
#include "adjc/Plan/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

/// Gives one stack and its reverse a tape without the values that are computed again.
class StackRecomputer {
public:
  StackRecomputer(ssm::RepeatOp stack, ssm::RepeatOp reverse, const adjc::Recomputation &recomputation)
      : stack(stack), reverse(reverse), recomputation(recomputation), rewriter(stack.getContext()) {}

  /// `dropped`: results of the stack.
  void run(const llvm::DenseSet<Value> &dropped) {
    Block &body = reverse.getBody().front();
    Operation *yield = stack.getBody().front().getTerminator();

    // Where the reverse body finds what it starts from: slices it has, or gets now.
    IRMapping mapping;
    for (auto [slice, argument] : llvm::zip(reverse.getSlices(), reverse.getSliceArgs()))
      if (slice.getDefiningOp() == stack && !dropped.contains(slice))
        mapping.map(yield->getOperand(cast<OpResult>(slice).getResultNumber()), argument);
    SmallVector<Value> added;
    for (Value start : recomputation.starts)
      if (!mapping.contains(start)) {
        mapping.map(start, body.addArgument(start.getType(), start.getLoc()));
        added.push_back(start);
      }

    cloneInto(body, mapping);
    llvm::BitVector gone(body.getNumArguments());
    SmallVector<Value> slices;
    for (auto [slice, argument] : llvm::zip(reverse.getSlices(), reverse.getSliceArgs().drop_back(added.size()))) {
      if (!dropped.contains(slice)) {
        slices.push_back(slice);
        continue;
      }
      // A value from around the stack is there as it is.
      Value again = mapping.lookupOrDefault(yield->getOperand(cast<OpResult>(slice).getResultNumber()));
      argument.replaceAllUsesWith(again);
      gone.set(argument.getArgNumber());
    }
    body.eraseArguments(gone);
    rebuild(dropped, added, slices);
  }

private:
  void cloneInto(Block &body, IRMapping &mapping) {
    Value tokens = reverse->getParentOfType<adj::ProgramOp>().getBody().getArgument(0);
    OpBuilder b = OpBuilder::atBlockBegin(&body);
    for (Operation *op : recomputation.operations)
      // What a size was read off may not exist here.
      if (adjc::isShardSize(op))
        mapping.map(op->getResult(0), tensor::DimOp::create(b, op->getLoc(), tokens,
                                                            mapping.lookupOrDefault(cast<tensor::DimOp>(op).getIndex()))
                                          .getResult());
      else
        b.clone(*op, mapping);
  }

  void rebuild(const llvm::DenseSet<Value> &dropped, ArrayRef<Value> added, SmallVector<Value> slices) {
    Operation *yield = stack.getBody().front().getTerminator();
    SmallVector<Value> yields, keptResults;
    SmallVector<Type> types;
    for (auto [result, value] : llvm::zip(stack.getResults(), yield->getOperands()))
      if (!dropped.contains(result)) {
        keptResults.push_back(result);
        yields.push_back(value);
        types.push_back(result.getType());
      }
    for (Value value : added) {
      yields.push_back(value);
      types.push_back(ssm::RepeatOp::getStackedType(stack.getCount(), cast<RankedTensorType>(value.getType())));
    }
    rewriter.setInsertionPoint(stack);
    auto keeping = ssm::RepeatOp::create(rewriter, stack.getLoc(), types, stack.getCountAttr(), stack.getInits(),
                                         stack.getSlices(), stack.getReverseAttr());
    yield->setOperands(yields);
    keeping.getBody().takeBody(stack.getBody());
    llvm::append_range(slices, keeping.getResults().take_back(added.size()));

    rewriter.setInsertionPoint(reverse);
    auto again = ssm::RepeatOp::create(rewriter, reverse.getLoc(), reverse.getResultTypes(), reverse.getCountAttr(),
                                       reverse.getInits(), slices, reverse.getReverseAttr());
    again.getBody().takeBody(reverse.getBody());
    rewriter.replaceOp(reverse, again.getResults());
    for (auto [before, now] : llvm::zip(keptResults, keeping.getResults()))
      before.replaceAllUsesWith(now);
    rewriter.eraseOp(stack);
  }

  ssm::RepeatOp stack, reverse;
  const adjc::Recomputation &recomputation;
  IRRewriter rewriter;
};

/// Moves what depends on no cotangent to just before its first use, so that it exists for as short as possible.
void sinkRecomputed(ssm::RepeatOp reverse) {
  Block &body = reverse.getBody().front();
  llvm::DenseSet<Value> late;
  late.insert_range(reverse.getCarriedArgs());
  SmallVector<Operation *> early;
  for (Operation &op : body.without_terminator()) {
    bool depends = !adjc::mayRunAgain(&op);
    op.walk([&](Operation *inner) {
      depends |= llvm::any_of(inner->getOperands(), [&](Value operand) { return late.contains(operand); });
    });
    if (depends)
      late.insert_range(op.getResults());
    else
      early.push_back(&op);
  }
  for (Operation *op : llvm::reverse(early)) {
    Operation *first = nullptr;
    for (Operation *user : op->getUsers()) {
      Operation *here = body.findAncestorOpInBlock(*user);
      if (here && (!first || here->isBeforeInBlock(first)))
        first = here;
    }
    if (first)
      op->moveBefore(first);
  }
}

/// Drops what nothing reads any more, in whatever operation can do without it, and merges what the reverse had already.
LogicalResult cleanUp(ModuleOp module) {
  MLIRContext *context = module.getContext();
  RewritePatternSet patterns(context);
  for (RegisteredOperationName name : context->getRegisteredOperations())
    if (name.getDialectNamespace() == ssm::SsmDialect::getDialectNamespace())
      name.getCanonicalizationPatterns(patterns, context);
  // No folding: see adj-shard-tokens.
  GreedyRewriteConfig config;
  config.enableFolding(false).enableConstantCSE(false).setRegionSimplificationLevel(
      GreedySimplifyRegionLevel::Disabled);
  if (failed(applyPatternsGreedily(module, std::move(patterns), config)))
    return failure();
  IRRewriter rewriter(context);
  DominanceInfo dominance(module);
  eliminateCommonSubExpressions(rewriter, dominance, module);
  return success();
}

struct Recompute : adjc::impl::RecomputeBase<Recompute> {
  using RecomputeBase::RecomputeBase;

  void runOnOperation() override {
    llvm::StringSet<> dropped;
    if (values.empty()) {
      FailureOr<adjc::Plan> plan = adjc::Plan::of(getOperation());
      if (failed(plan))
        return signalPassFailure();
      dropped = plan->valuesKept(adjc::Keep::Recompute);
    } else if (values.size() == 1 && values.front() == "none") {
      return;
    } else if (values.size() == 1 && values.front() == "all") {
      adjc::Tape tape = adjc::Tape::of(getOperation());
      for (const adjc::TapeValue &value : tape.values())
        if (value.recomputable)
          dropped.insert(value.name);
    } else {
      for (const std::string &name : values)
        dropped.insert(name);
    }
    numRecomputed += dropped.size();
    if (failed(adjc::recomputeTape(getOperation(), dropped)))
      return signalPassFailure();
  }
};

} // namespace

LogicalResult adjc::recomputeTape(ModuleOp module, const llvm::StringSet<> &dropped) {
  if (dropped.empty())
    return success();
  Tape tape = Tape::of(module);
  for (const auto &entry : dropped) {
    const TapeValue *value = tape.find(entry.getKey());
    if (!value || !value->recomputable) {
      InFlightDiagnostic error = module.emitError("the tape has no value '")
                                 << entry.getKey() << "' that can be computed again; it has";
      for (const TapeValue &other : tape.values())
        if (other.recomputable)
          error << " '" << other.name << "'";
      return error;
    }
  }
  for (ssm::RepeatOp stack : tape.stacks()) {
    Recomputation recomputation = tape.recomputation(stack, dropped);
    llvm::DenseSet<Value> results;
    ssm::RepeatOp reverse;
    for (const TapeValue &value : tape.values())
      if (value.stack == stack && dropped.contains(value.name)) {
        results.insert(stack.getResult(value.result));
        reverse = value.reverse;
      }
    if (reverse)
      StackRecomputer(stack, reverse, recomputation).run(results);
  }
  if (failed(cleanUp(module)))
    return failure();
  module.walk([](ssm::RepeatOp repeat) {
    if (repeat.getReverse() && !repeat.getSlices().empty())
      sinkRecomputed(repeat);
  });
  return success();
}
