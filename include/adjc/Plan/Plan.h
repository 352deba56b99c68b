//===- Plan.h - what is asked of a plan, and what was chosen --------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_PLAN_H
#define ADJC_PLAN_PLAN_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include "llvm/ADT/StringSet.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace adjc {

/// Memory of the process and its libraries on the CPU target, before the arena: measured on an empty session with up to
/// 4 threads. Each thread beyond costs 0.7 MB, which a session, unlike a plan, knows and counts (docs/adj-run.md).
inline constexpr uint64_t kProcessBytes = 12'000'000;
/// What products in bf16 need beside that: four threads' panels of operands in f32 (runtime/cpu/Bf16Gemm.cpp).
inline constexpr uint64_t kBf16ProcessBytes = 4 * 1'310'720;
/// Of a process on a GPU: device memory of the context, of the kernels and of cuBLASLt with its workspace, on an empty
/// session (test/gpu/run.sh, H100, 2026-11-22).
inline constexpr uint64_t kGpuProcessBytes = 592'000'000;

/// Where a value that a layer's adjoint needs is between the layer's forward and its reverse.
enum class Keep {
  Store,     ///< in device memory
  Recompute, ///< nowhere: the reverse computes it again
  Offload,   ///< in host memory
};

/// "store", "recompute" or "offload".
llvm::StringRef stringifyKeep(Keep keep);
std::optional<Keep> parseKeep(llvm::StringRef text);

/// What becomes of one value of the tape.
struct TapeChoice {
  std::string name; ///< TapeValue::name
  Keep keep = Keep::Store;
  uint64_t bytes = 0; ///< of all layers, for a whole shard

  /// "scan0 output=offload", without bytes; nothing when it does not end in a way to keep a value.
  static std::optional<TapeChoice> parse(llvm::StringRef text);
};

/// The names of the values in `tape` that are kept in this way.
llvm::StringSet<> namesKept(llvm::ArrayRef<TapeChoice> tape, Keep keep);

/// What the command line asks for.
struct PlanOptions {
  static constexpr int64_t kAuto = 0;
  static constexpr int64_t kOff = -1;

  int64_t batch = 1;
  int64_t shard = kAuto;        ///< tokens per shard
  int64_t context = 65536;      ///< the longest sequence planned for, in tokens
  int64_t miniSequence = kAuto; ///< rows (batch x tokens) of a mini-sequence; kOff: the whole shard
  uint64_t budget =
      8'000'000'000; ///< bytes, for everything: process, parameters, gradients, optimizer, activations, boundaries
  std::string budgetText = "8GB";  ///< the budget as it was given: its unit is that of messages
  std::string boundaries = "auto"; ///< "auto", "device", "host" or "binomial:N"
  std::string policy = "auto";     ///< "auto", "store", "recompute" or "offload"
  std::vector<TapeChoice> keep;    ///< what becomes of these values, whatever the policy says
  std::string dtype = "f32";       ///< what activations are stored in, "f32" or "bf16"
  bool adamw = false;              ///< the optimizer's state is resident
  bool gpu = false;                ///< the target is a GPU
  std::string machine;             ///< whose rates predict seconds (Machine::find); empty: "cpu", or "sm_90" for a GPU
};

/// What `adj-choose-policies` chose: the module attribute `adj.plan`, which later passes read.
struct Plan {
  int64_t batch = 1;
  int64_t shard = 0;            ///< tokens
  int64_t context = 0;          ///< tokens
  int64_t miniSequence = 0;     ///< rows
  uint64_t budget = 0;          ///< bytes
  std::string boundaries;       ///< "device", "host" or "binomial:N"
  std::string policy = "store"; ///< "store", "recompute", "offload", or "mixed": what an automatic choice came to
  /// One entry for each value of the tape, in its order.
  std::vector<TapeChoice> tape;
  std::string dtype; ///< "f32" or "bf16"
  bool adamw = false;
  bool gpu = false; ///< the target is a GPU: bytes are device memory

  /// Memory of the process and its libraries, before the arena.
  uint64_t processBytes() const;
  /// Memory beside arena and process for a sequence of `tokens`: on the CPU the windows of its token file.
  uint64_t fileBytes(int64_t tokens) const;

  /// The names of the tape's values that are kept in this way.
  llvm::StringSet<> valuesKept(Keep keep) const { return namesKept(tape, keep); }

  int64_t rows() const { return batch * shard; }
  int64_t shards() const { return (context + shard - 1) / shard; }

  void attachTo(mlir::ModuleOp module) const;
  /// The plan of `module`; fails with a diagnostic that names the pass to run first.
  static mlir::FailureOr<Plan> of(mlir::ModuleOp module);
};

} // namespace adjc

#endif
