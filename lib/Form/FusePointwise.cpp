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
#include "mlir/IR/PatternMatch.h"

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

/// The operand of `consumer` through which the operation that makes it may join, or null. Moves `consumer` up to it
/// where it has to.
OpOperand *findFusable(linalg::GenericOp consumer) {
  if (!adjc::isRowPointwise(consumer))
    return nullptr;
  for (OpOperand *operand : consumer.getDpsInputOperands()) {
    auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
    if (producer && producer->getBlock() == consumer->getBlock() && adjc::isRowPointwise(producer) &&
        consumer.getMatchingIndexingMap(operand).isIdentity() && linalg::areElementwiseOpsFusable(operand) &&
        adjc::bringTogether(producer, consumer))
      return operand;
  }
  return nullptr;
}

/// Joins `operand`'s owner and the operation that makes it. What the latter makes for others too is a result of both.
LogicalResult fuse(OpOperand *operand, IRRewriter &rewriter) {
  Operation *consumer = operand->getOwner(), *producer = operand->get().getDefiningOp();
  rewriter.setInsertionPoint(consumer);
  auto fused = linalg::fuseElementwiseOps(rewriter, operand);
  if (failed(fused))
    return failure();
  for (auto [before, after] : fused->replacements)
    rewriter.replaceAllUsesWith(before, after);
  rewriter.eraseOp(consumer);
  if (producer->use_empty())
    rewriter.eraseOp(producer);
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
    for (linalg::GenericOp generic : generics)
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
