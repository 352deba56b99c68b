//===- SsmCanonicalize.cpp - dropping what nobody reads ---------------------------------------------------------===//
#include "mlir/IR/PatternMatch.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Drops stacked results that nobody uses and slices that the body does not read.
struct DropUnusedStacks : OpRewritePattern<RepeatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RepeatOp op, PatternRewriter &rewriter) const override {
    unsigned carried = op.getInits().size();
    SmallVector<unsigned> keptStacks, keptSlices;
    for (auto [i, result] : llvm::enumerate(op.getStacked()))
      if (!result.use_empty())
        keptStacks.push_back(i);
    for (auto [i, argument] : llvm::enumerate(op.getSliceArgs()))
      if (!argument.use_empty())
        keptSlices.push_back(i);
    if (keptStacks.size() == op.getStacked().size() && keptSlices.size() == op.getSlices().size())
      return rewriter.notifyMatchFailure(op, "every stack and slice is used");

    SmallVector<Type> types(op.getFinals().getTypes());
    SmallVector<Value> slices, yields(op.getBody().front().getTerminator()->getOperands().take_front(carried));
    for (unsigned i : keptStacks) {
      types.push_back(op.getStacked()[i].getType());
      yields.push_back(op.getBody().front().getTerminator()->getOperand(carried + i));
    }
    for (unsigned i : keptSlices)
      slices.push_back(op.getSlices()[i]);
    auto pruned =
        RepeatOp::create(rewriter, op.getLoc(), types, op.getCountAttr(), op.getInits(), slices, op.getReverseAttr());
    rewriter.inlineRegionBefore(op.getBody(), pruned.getBody(), pruned.getBody().begin());
    Block &body = pruned.getBody().front();
    for (unsigned i = body.getNumArguments(); i-- > carried;)
      if (!llvm::is_contained(keptSlices, i - carried))
        body.eraseArgument(i);
    rewriter.modifyOpInPlace(body.getTerminator(), [&] { body.getTerminator()->setOperands(yields); });

    for (auto [before, now] : llvm::zip(op.getFinals(), pruned.getFinals()))
      rewriter.replaceAllUsesWith(before, now);
    for (auto [k, i] : llvm::enumerate(keptStacks))
      rewriter.replaceAllUsesWith(op.getStacked()[i], pruned.getStacked()[k]);
    rewriter.eraseOp(op);
    return success();
  }
};

/// Drops checkpoints that no adjoint reads.
struct DropUnusedCheckpoints : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp op, PatternRewriter &rewriter) const override {
    if (!op.getCheckpoints() || !op.getCheckpoints().use_empty())
      return rewriter.notifyMatchFailure(op, "has no unused checkpoints");
    auto pruned = ScanOp::create(
        rewriter, op.getLoc(), TypeRange(op.getOutputs()), op.getFinal() ? op.getFinal().getType() : Type(), Type(),
        op.getInputs(), op.getInitial(), op.getResets(), op.getDimsAttr(), op.getStateAttr(), op.getStateTypeAttr(),
        op.getContractedAttr(), op.getContractsAttr(), op.getIndexingMapsAttr(), IntegerAttr(), op.getCarryNameAttr());
    rewriter.inlineRegionBefore(op.getStep(), pruned.getStep(), pruned.getStep().begin());
    rewriter.inlineRegionBefore(op.getRead(), pruned.getRead(), pruned.getRead().begin());
    for (auto [before, now] : llvm::zip(op.getOutputs(), pruned.getOutputs()))
      rewriter.replaceAllUsesWith(before, now);
    if (op.getFinal())
      rewriter.replaceAllUsesWith(op.getFinal(), pruned.getFinal());
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void RepeatOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropUnusedStacks>(context);
}
void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropUnusedCheckpoints>(context);
}
