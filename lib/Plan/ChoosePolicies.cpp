//===- ChoosePolicies.cpp - shard, mini-sequence, boundaries ----------------------------------------------------===//
#include "adj/AdjOps.h"
#include "adjc/Plan/Budget.h"
#include "adjc/Plan/Cost/Machine.h"
#include "adjc/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace adjc {
#define GEN_PASS_DEF_CHOOSEPOLICIES
#include "adjc/Plan/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

struct ChoosePolicies : adjc::impl::ChoosePoliciesBase<ChoosePolicies> {
  using ChoosePoliciesBase::ChoosePoliciesBase;

  void runOnOperation() override {
    adjc::PlanOptions options;
    options.batch = batch;
    options.shard = shard;
    options.context = context;
    options.miniSequence = miniSequence;
    options.budget = budget;
    options.budgetText = budgetText;
    options.policy = policy;
    for (const std::string &text : keep) {
      std::optional<adjc::TapeChoice> choice = adjc::TapeChoice::parse(text);
      if (!choice) {
        getOperation().emitError() << "keep: '" << text << "' is not VALUE=store, VALUE=recompute or VALUE=offload";
        return signalPassFailure();
      }
      options.keep.push_back(*choice);
    }
    options.boundaries = boundaries;
    options.dtype = dtype;
    options.adamw = adamw;
    options.gpu = gpu;
    options.machine = machine;
    if (!machine.empty() && !adjc::Machine::find(machine)) {
      getOperation().emitError() << "machine '" << machine
                                 << "' is not known; give cpu, sm_80, sm_90, sm_90a or sm_100";
      return signalPassFailure();
    }
    FailureOr<adjc::Plan> plan = adjc::choosePlan(getOperation(), options);
    if (failed(plan) || failed(adjc::cutLosses(getOperation())))
      return signalPassFailure();
    adjc::setMiniSequences(getOperation(), plan->miniSequence);
    plan->attachTo(getOperation());
  }
};

} // namespace
