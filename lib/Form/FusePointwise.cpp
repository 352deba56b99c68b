//===- FusePointwise.cpp - adj-fuse-pointwise: chains of elementwise operations become one ----------------------===//
#include "PointwisePlacement.h"
#include "adj/AdjOps.h"
#include "adjc/Form/Elementwise.h"
#include "adjc/Form/Passes.h"
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"

namespace adjc {
#define GEN_PASS_DEF_FUSEPOINTWISE
#include "adjc/Form/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

/// What sizes are read off a result is read off an operand with the same rows: a use less of what may not be stored.
void readSizesOffOperands(linalg::GenericOp generic) {
  Value source;
  for (OpOperand *operand : generic.getDpsInputOperands())
    if (generic.getMatchingIndexingMap(operand).isIdentity() &&
        cast<RankedTensorType>(operand->get().getType()).getShape() ==
            cast<RankedTensorType>(generic.getResult(0).getType()).getShape())
      source = operand->get();
  if (!source)
    return;
  for (Value result : generic.getResults())
    for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
      if (auto size = dyn_cast<tensor::DimOp>(user))
        size.getSourceMutable().assign(source);
}

/// Whether `consumer` reads all that it takes of `producer` at the point that it computes.
bool readsInPlace(linalg::GenericOp consumer, Operation *producer) {
  return llvm::all_of(consumer.getDpsInputOperands(), [&](OpOperand *operand) {
    return operand->get().getDefiningOp() != producer || consumer.getMatchingIndexingMap(operand).isIdentity();
  });
}

/// The operand of `consumer` through which the operation that makes it may join, or null. Moves `consumer` up to it
/// where it has to.
OpOperand *findFusable(linalg::GenericOp consumer) {
  if (!adjc::isRowPointwise(consumer))
    return nullptr;
  for (OpOperand *operand : consumer.getDpsInputOperands()) {
    auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
    if (producer && producer->getBlock() == consumer->getBlock() && adjc::isRowPointwise(producer) &&
        readsInPlace(consumer, producer) && linalg::areElementwiseOpsFusable(operand) &&
        adjc::bringTogether(producer, consumer))
      return operand;
  }
  return nullptr;
}

/// `fused`, whose inputs are as before, reads values that it makes itself, those of `replacements`: it takes them where
/// it makes them.
void readOwnValues(linalg::GenericOp fused, const llvm::DenseMap<Value, Value> &replacements) {
  Block *body = fused.getBody();
  SmallVector<AffineMap> maps = fused.getIndexingMapsArray();
  for (int64_t number = fused.getNumDpsInputs() - 1; number >= 0; --number) {
    auto own = replacements.find(fused.getInputs()[number]);
    if (own == replacements.end())
      continue;
    unsigned result = cast<OpResult>(own->second).getResultNumber();
    body->getArgument(number).replaceAllUsesWith(body->getTerminator()->getOperand(result));
    body->eraseArgument(number);
    fused.getInputsMutable().erase(number);
    maps.erase(maps.begin() + number);
  }
  fused.setIndexingMapsAttr(Builder(fused.getContext()).getAffineMapArrayAttr(maps));
}

/// Reads an input that is there several times once, and computes once what was computed from each.
void mergeInputs(linalg::GenericOp generic, IRRewriter &rewriter) {
  Block *body = generic.getBody();
  SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
  bool merged = false;
  for (int64_t number = generic.getNumDpsInputs() - 1; number > 0; --number)
    for (int64_t first = 0; first < number; ++first)
      if (generic.getInputs()[first] == generic.getInputs()[number] && maps[first] == maps[number]) {
        body->getArgument(number).replaceAllUsesWith(body->getArgument(first));
        body->eraseArgument(number);
        generic.getInputsMutable().erase(number);
        maps.erase(maps.begin() + number);
        merged = true;
        break;
      }
  if (!merged)
    return;
  generic.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  DominanceInfo dominance(generic);
  eliminateCommonSubExpressions(rewriter, dominance, generic);
}

/// Joins `operand`'s owner and the operation that makes it. What the latter makes for others too is a result of both.
LogicalResult fuse(OpOperand *operand, IRRewriter &rewriter) {
  Operation *consumer = operand->getOwner(), *producer = operand->get().getDefiningOp();
  rewriter.setInsertionPoint(consumer);
  auto fused = linalg::fuseElementwiseOps(rewriter, operand);
  if (failed(fused))
    return failure();
  auto joined = cast<linalg::GenericOp>(fused->fusedOp);
  readOwnValues(joined, fused->replacements);
  for (auto [before, after] : fused->replacements)
    rewriter.replaceAllUsesWith(before, after);
  rewriter.eraseOp(consumer);
  if (producer->use_empty())
    rewriter.eraseOp(producer);
  mergeInputs(joined, rewriter);
  return success();
}

struct FusePointwise : adjc::impl::FusePointwiseBase<FusePointwise> {
  void runOnOperation() override {
    unsigned fused = 0;
    if (failed(adjc::fusePointwise(getOperation(), fused)))
      return signalPassFailure();
    numFused += fused;
  }
};

} // namespace

LogicalResult adjc::fusePointwise(ModuleOp module, unsigned &fused) {
  IRRewriter rewriter(module.getContext());
  for (auto program : module.getOps<adj::ProgramOp>()) {
    spellOutElementwise(program);
    SmallVector<linalg::GenericOp> generics;
    program.walk([&](linalg::GenericOp generic) { generics.push_back(generic); });
    // From consumers to producers: an operand may be a producer's result.
    for (linalg::GenericOp generic : llvm::reverse(generics))
      if (isRowPointwise(generic))
        readSizesOffOperands(generic);
    // From producers to consumers, each with all that it can take along.
    for (bool changed = true; changed;) {
      changed = false;
      generics.clear();
      program.walk([&](linalg::GenericOp generic) { generics.push_back(generic); });
      for (linalg::GenericOp generic : generics)
        if (OpOperand *operand = findFusable(generic)) {
          if (failed(fuse(operand, rewriter)))
            return generic.emitError("could not be fused with what makes its operand");
          ++fused;
          changed = true;
          break; // operations are others now
        }
    }
  }
  return success();
}
