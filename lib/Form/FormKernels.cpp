//===- FormKernels.cpp - outline what programs compute ----------------------------------------------------------===//
#include "KernelGroups.h"
#include "KernelOutliner.h"
#include "PointwisePlacement.h"
#include "WorkingCopies.h"
#include "adjc/Form/Elementwise.h"
#include "adjc/Form/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssm/SsmOps.h"

namespace adjc {
#define GEN_PASS_DEF_FORMKERNELS
#include "adjc/Form/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using adjc::isMadeInKernels, adjc::isStructure;

namespace {

class Former {
public:
  explicit Former(ModuleOp module) : module(module), outliner(module) {}

  LogicalResult run() {
    for (auto program : module.getOps<adj::ProgramOp>()) {
      adjc::spellOutElementwise(program);
      if (failed(formAccumulates(program)) || failed(formProducts(program)))
        return failure();
    }
    // Which parameters have working copies is known when all products are.
    copies.replaceTables(module);
    copies.addPrepare(module);
    for (auto program : module.getOps<adj::ProgramOp>()) {
      if (failed(formRest(program)))
        return failure();
      eraseDead(program);
    }
    return success();
  }

  unsigned kernels() const { return outliner.size(); }

private:
  /// Joins an accumulation with what makes its value, when nothing else uses that.
  LogicalResult formAccumulates(adj::ProgramOp program) {
    SmallVector<adj::AccumulateOp> accumulates;
    program.walk([&](adj::AccumulateOp op) { accumulates.push_back(op); });
    for (adj::AccumulateOp accumulate : accumulates) {
      OpBuilder b(accumulate);
      Value value = accumulate.getValue();
      Operation *producer = value.getDefiningOp();
      bool only = value.hasOneUse();
      auto matmul = dyn_cast_or_null<adj::MatmulOp>(producer);
      if (matmul && only) {
        if (failed(copies.matchOperands(matmul)))
          return failure();
        adj::GemmOp::create(b, matmul.getLoc(), Type(), matmul.getA(), matmul.getB(), Value(),
                            matmul.getTransposeAAttr(), matmul.getTransposeBAttr(), UnitAttr(),
                            accumulate.getParameterAttr());
      } else {
        if (isa_and_nonnull<adj::EmbeddingAdjointOp>(producer) && !only)
          return producer->emitError("a table's cotangent can only be accumulated");
        bool joins = only && isa_and_nonnull<adj::SumPartialsOp, adj::EmbeddingAdjointOp>(producer);
        if (failed(outliner.outlineAccumulate(joins ? producer : nullptr, value, accumulate.getParameterAttr(), b)))
          return failure();
        producer = joins ? producer : nullptr;
      }
      accumulate.erase();
      if (producer && producer->use_empty() && !isStructure(producer))
        producer->erase();
    }
    return success();
  }

  LogicalResult formProducts(adj::ProgramOp program) {
    SmallVector<adj::MatmulOp> products;
    program.walk([&](adj::MatmulOp op) { products.push_back(op); });
    for (adj::MatmulOp op : products) {
      if (failed(copies.matchOperands(op)))
        return failure();
      OpBuilder b(op);
      auto gemm = adj::GemmOp::create(b, op.getLoc(), op.getResult().getType(), op.getA(), op.getB(), Value(),
                                      op.getTransposeAAttr(), op.getTransposeBAttr(), UnitAttr(), StringAttr());
      op.getResult().replaceAllUsesWith(gemm.getResult());
      op.erase();
    }
    return success();
  }

  LogicalResult formRest(adj::ProgramOp program) {
    SmallVector<Operation *> ops;
    program.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op == program)
        return WalkResult::advance();
      if (!isStructure(op) && !isMadeInKernels(op))
        ops.push_back(op);
      return isa<ssm::RepeatOp, adj::MiniSequencesOp>(op) ? WalkResult::advance() : WalkResult::skip();
    });
    // Kernels of several operations, by the last of these.
    llvm::DenseMap<Operation *, adjc::KernelGroup> groups;
    llvm::DenseSet<Operation *> members;
    for (Operation *op : ops) {
      adjc::KernelGroup group = adjc::groupAround(op, members);
      if (group.size() < 2)
        continue;
      members.insert(group.begin(), group.end());
      groups[group.back()] = group;
    }
    // From the end, so that what is used by nothing but unused results goes with them.
    for (Operation *op : llvm::reverse(ops)) {
      // First: the other members of a group are gone with its last one.
      auto group = groups.find(op);
      if (group == groups.end() && members.contains(op))
        continue;
      if (isa<adj::LmLossAdjointOp>(op))
        return op->emitError("the loss is not cut into mini-sequences; run adj-choose-policies first");
      if (isa<ssm::LmLossOp, ssm::SiluOp, ssm::GateOp, ssm::MlpOp, ssm::SelectiveScanOp>(op))
        return op->emitError("has no kernel; run ssm-expand-layers and adj-derive-adjoint first");
      if (op->getNumResults() == 0)
        return op->emitError("computes nothing that a kernel could");
      SmallVector<Operation *> together(1, op);
      if (group != groups.end())
        together = group->second;
      llvm::for_each(together, [&](Operation *member) { eraseSizes(member); });
      if (failed(outliner.outline(together)))
        return failure();
    }
    return success();
  }

  /// Kernels take sizes from the shard: sizes read off a result, and the empty tensors made with them, are no uses once
  /// those are formed.
  void eraseSizes(Operation *op) {
    for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
      if (!isa<tensor::DimOp>(user))
        continue;
      for (Operation *empty : llvm::make_early_inc_range(user->getUsers()))
        if (isa<tensor::EmptyOp>(empty) && empty->use_empty())
          empty->erase();
      if (user->use_empty())
        user->erase();
    }
  }

  void eraseDead(adj::ProgramOp program) {
    SmallVector<Operation *> ops;
    program.walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty() &&
          (isMadeInKernels(op) ||
           isa<ssm::SplitOp, ssm::ReshapeOp, ssm::ConcatOp, adj::CarriedOp, adj::WorkingCopyOp>(op) ||
           (isa<adj::GemmOp>(op) && op->getNumResults() == 1)))
        op->erase();
  }

  ModuleOp module;
  adjc::KernelOutliner outliner;
  adjc::WorkingCopies copies;
};

struct FormKernels : adjc::impl::FormKernelsBase<FormKernels> {
  void runOnOperation() override {
    Former former(getOperation());
    if (failed(former.run()))
      return signalPassFailure();
    numKernels += former.kernels();
  }
};

} // namespace

LogicalResult adjc::formKernels(ModuleOp module) {
  unsigned fused = 0;
  return failure(failed(fusePointwise(module, fused)) || failed(Former(module).run()));
}
