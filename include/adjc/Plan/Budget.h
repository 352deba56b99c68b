//===- Budget.h - predictions, and the choice of a plan within a budget -------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_BUDGET_H
#define ADJC_PLAN_BUDGET_H

#include "adjc/Plan/MemoryPlan.h"
#include "adjrt/support/Status.h"

namespace adjc {

/// Bytes for one call with `tokens` tokens.
struct MemoryPrediction {
  uint64_t arena = 0; ///< as the session lays it out
  uint64_t host = 0;  ///< in memory of the host: on the CPU a part of the peak, on a GPU beside it
  uint64_t peak = 0;  ///< arena, process and libraries, and the int32 token file
  int64_t slots = 0;  ///< boundary slots in the arena
};

/// What a call takes. InvalidInput when it is larger than any memory.
adjrt::Expected<MemoryPrediction> predictMemory(const MemoryPlan &memory, int64_t tokens);

/// Chooses shard, mini-sequence and boundaries for `module` (after adj-shard-tokens). Fails with a diagnostic without
/// location when nothing fits, naming the smallest budget that would do.
mlir::FailureOr<Plan> choosePlan(mlir::ModuleOp module, const PlanOptions &options);

/// Makes every loss a loop over mini-sequences.
mlir::LogicalResult cutLosses(mlir::ModuleOp module);
/// Gives every loop over mini-sequences, whatever it computes, its length: at most `rows` rows.
void setMiniSequences(mlir::ModuleOp module, int64_t rows);
/// Bytes of the widest row that a mini-sequence makes: of logits, or of an MLP's intermediate.
uint64_t widestMiniRow(mlir::ModuleOp module);

/// "1.25GB": `bytes` in `unit` (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), rounded up to two decimals, so that the text
/// read back is never less.
std::string formatSize(uint64_t bytes, llvm::StringRef unit);
/// Bytes in one `unit`; 0 for an unknown one.
uint64_t bytesPerUnit(llvm::StringRef unit);

} // namespace adjc

#endif
