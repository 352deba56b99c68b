//===- PlanMemory.cpp - a place for every value
//------------------------------------------------------------------------===//
#include "adjc/Plan/MemoryPlan.h"
#include "adjc/Plan/Passes.h"

namespace adjc {
#define GEN_PASS_DEF_PLANMEMORY
#include "adjc/Plan/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

struct PlanMemory : adjc::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    FailureOr<adjc::Plan> plan = adjc::Plan::of(getOperation());
    if (failed(plan))
      return signalPassFailure();
    FailureOr<adjc::MemoryPlan> memory = adjc::planMemory(getOperation(), *plan);
    if (failed(memory) || failed(adjc::applyMemoryPlan(getOperation(), *memory)))
      return signalPassFailure();
    arenaBytes += memory->fixedBytes;
    for (const adjc::ProgramPlan &program : memory->programs)
      numCopies += program.copies.size();
  }
};

} // namespace
