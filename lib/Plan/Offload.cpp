//===- Offload.cpp - keep values for adjoints in host memory ---------------------------------------------------===//
#include "adj/AdjOffload.h"
#include "adjc/Plan/Passes.h"
#include "adjc/Plan/Plan.h"
#include "adjc/Plan/TapeValues.h"

namespace adjc {
#define GEN_PASS_DEF_OFFLOAD
#include "adjc/Plan/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

struct Offload : adjc::impl::OffloadBase<Offload> {
  using OffloadBase::OffloadBase;

  void runOnOperation() override {
    llvm::StringSet<> names;
    if (values.empty()) {
      FailureOr<adjc::Plan> plan = adjc::Plan::of(getOperation());
      if (failed(plan))
        return signalPassFailure();
      names = plan->valuesKept(adjc::Keep::Offload);
    } else if (values.size() != 1 || values.front() != "none") {
      bool all = values.size() == 1 && values.front() == "all";
      adjc::Tape tape = adjc::Tape::of(getOperation());
      for (const adjc::TapeValue &value : tape.values())
        if (all && value.isOffloadable())
          names.insert(value.name);
      if (!all)
        names.insert(values.begin(), values.end());
    }
    numOffloaded += names.size();
    if (failed(adjc::offloadTape(getOperation(), names)))
      return signalPassFailure();
  }
};

} // namespace

LogicalResult adjc::offloadTape(ModuleOp module, const llvm::StringSet<> &names) {
  Tape tape = Tape::of(module);
  for (const auto &entry : names) {
    const TapeValue *value = tape.find(entry.getKey());
    if (!value || !value->isOffloadable()) {
      InFlightDiagnostic error = module.emitError("the tape has no value '")
                                 << entry.getKey() << "' that can be kept in host memory; it has";
      for (const TapeValue &other : tape.values())
        if (other.isOffloadable())
          error << " '" << other.name << "'";
      return error;
    }
  }
  for (const TapeValue &value : tape.values()) {
    if (!names.contains(value.name))
      continue;
    ssm::RepeatOp stack = value.stack, reverse = value.reverse;
    Value sent = value.value();
    OpBuilder b(module.getContext());
    b.setInsertionPointToStart(&stack.getBody().front());
    if (Operation *maker = sent.getDefiningOp())
      b.setInsertionPointAfter(maker);
    auto offload = adj::OffloadOp::create(b, sent.getLoc(), sent.getType(), sent.getType(), sent);
    stack.getBody().front().getTerminator()->setOperand(value.result, offload.getHost());

    b.setInsertionPointToStart(&reverse.getBody().front());
    for (auto [slice, argument] : llvm::zip(reverse.getSlices(), reverse.getSliceArgs()))
      if (slice == stack.getResult(value.result)) {
        auto prefetch = adj::PrefetchOp::create(b, sent.getLoc(), argument.getType(), argument);
        argument.replaceAllUsesExcept(prefetch.getResult(), prefetch);
      }
  }
  return success();
}
