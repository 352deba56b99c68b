//===- PlanMemory.cpp - a place for every value -----------------------------------------------------------------===//
#include "adjc/Plan/MemoryPlan.h"
#include "adjc/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

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
