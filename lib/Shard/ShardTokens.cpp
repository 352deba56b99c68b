//===- ShardTokens.cpp - from whole sequences to one token shard ------------------------------------------------===//
#include "adj/AdjOps.h"
#include "adjc/Shard/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"
#include "ssm/SsmOps.h"

namespace adjc {
#define GEN_PASS_DEF_SHARDTOKENS
#include "adjc/Shard/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

/// Index of the resets among a program's arguments (adj.program).
constexpr unsigned kResetsArgument = 2;

struct ShardTokens : adjc::impl::ShardTokensBase<ShardTokens> {
  void runOnOperation() override {
    for (auto program : llvm::make_early_inc_range(getOperation().getOps<adj::ProgramOp>())) {
      if (program.getSymName() != "gradient")
        continue;
      if (failed(attach(program)) || failed(addForward(program)))
        return signalPassFailure();
    }
  }

  LogicalResult attach(adj::ProgramOp program) {
    IRRewriter rewriter(&getContext());
    Value resets = program.getBody().front().getArgument(kResetsArgument);
    SmallVector<adj::CarryOpInterface> ops;
    program.walk([&](adj::CarryOpInterface op) { ops.push_back(op); });
    for (adj::CarryOpInterface op : ops) {
      SmallVector<adj::Carry> carries = op.getCarries();
      Location loc = op.getLoc();
      bool cotangent = op.carriesCotangents();
      std::string scope = op.getCarryScope().str();
      if (scope.empty())
        return op.emitOpError("carries across a token boundary but has no carry name (run adj-derive-adjoint first)");
      rewriter.setInsertionPoint(op);
      SmallVector<Value> in, out;
      for (const adj::Carry &carry : carries)
        in.push_back(adj::CarriedOp::create(rewriter, loc, carry.type, scope + "/" + carry.name, cotangent));
      Operation *next = op->getNextNode();
      if (failed(op.attachCarries(rewriter, in, resets, out)))
        return failure();
      rewriter.setInsertionPoint(next);
      for (auto [carry, value] : llvm::zip(carries, out)) {
        adj::HandOverOp::create(rewriter, loc, scope + "/" + carry.name, value, cotangent);
        numCarries += !cotangent;
      }
    }
    return success();
  }

  /// The first sweep's program: all that the carries depend on.
  LogicalResult addForward(adj::ProgramOp gradient) {
    OpBuilder b(gradient);
    auto forward = cast<adj::ProgramOp>(b.clone(*gradient));
    forward.setSymName("forward");
    SmallVector<Operation *> effects;
    forward.walk([&](Operation *op) {
      bool reverse = isa<adj::AccumulateOp, adj::LmLossAdjointOp>(op);
      if (auto handOver = dyn_cast<adj::HandOverOp>(op))
        reverse = handOver.getCotangent();
      if (reverse)
        effects.push_back(op);
    });
    // What only these needed is dead after them; the operations between are dropped in reverse order.
    IRRewriter rewriter(&getContext());
    for (Operation *op : llvm::reverse(effects)) {
      op->dropAllUses();
      rewriter.eraseOp(op);
    }
    eraseDead(forward.getBody().front(), rewriter);
    RewritePatternSet patterns(&getContext());
    ssm::RepeatOp::getCanonicalizationPatterns(patterns, &getContext());
    ssm::ScanOp::getCanonicalizationPatterns(patterns, &getContext());
    // No folding: a folded value of a scan's region (select c, x, x) varies over fewer dimensions than what reads it
    // was checked for.
    return applyPatternsGreedily(forward, std::move(patterns), GreedyRewriteConfig().enableFolding(false));
  }

  /// Erases, from the end, operations whose results are unused and that hand nothing over. Reading a carry is an effect
  /// (it must stay before the hand-over that overwrites it), but a read nobody uses may go.
  void eraseDead(Block &block, IRRewriter &rewriter) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      for (Region &region : op.getRegions())
        if (isa<ssm::RepeatOp>(op))
          for (Block &inner : region)
            eraseDead(inner, rewriter);
      if (op.hasTrait<OpTrait::IsTerminator>() || !op.use_empty())
        continue;
      bool handsOver = false;
      op.walk([&](adj::HandOverOp) { handsOver = true; });
      if (!handsOver)
        rewriter.eraseOp(&op);
    }
  }
};

} // namespace
