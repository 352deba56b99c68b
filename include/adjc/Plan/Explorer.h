//===- Explorer.h - plans, their memory and their seconds ----------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_EXPLORER_H
#define ADJC_PLAN_EXPLORER_H

#include "adjc/Plan/Budget.h"
#include "adjc/Plan/Cost/CallCost.h"
#include "adjc/Plan/TapePolicies.h"

#include <map>
#include <optional>

namespace adjc {

/// A plan that was looked at: what it takes for its context.
struct Candidate {
  Plan plan;
  uint64_t peak = 0;  ///< bytes
  int64_t slots = 0;  ///< boundary slots
  double seconds = 0; ///< predicted
};

/// All plans that the options leave open for one model, with what each takes. Seconds come from counting its kernels
/// (CallCost), bytes from placing its values as `adj-plan-memory` will (planMemory), which is the slow part: what was
/// placed once is remembered, and only what may be the best is placed at all.
class Explorer {
public:
  /// `module` is as adj-shard-tokens leaves it; it is not changed.
  static mlir::FailureOr<Explorer> create(mlir::ModuleOp module, const PlanOptions &options);

  /// The best plan within `budget` bytes, or nothing. The best is the fastest, but for twice the memory it must be at
  /// least one percent faster. So a larger budget never gets a slower plan.
  mlir::FailureOr<std::optional<Candidate>> best(uint64_t budget);
  /// The plan that takes least; nothing when none fits in any memory.
  mlir::FailureOr<std::optional<Candidate>> smallest();
  /// Exactly this plan; nothing when it fits in no memory, or keeps its tape in a way that is not among `policies`.
  mlir::FailureOr<std::optional<Candidate>> evaluate(const Plan &plan);

  const Machine &machine() const { return *rates; }
  const PlanOptions &asked() const { return options; }
  /// How often values were placed: what most of the time goes into.
  unsigned placements() const { return placed; }

  /// The ways to keep the tape that the options leave open.
  std::vector<TapePolicy> policies() const;
  /// Lengths that an automatic choice looks at, ascending.
  llvm::SmallVector<int64_t> shardLengths() const;
  /// Descending.
  llvm::SmallVector<int64_t> miniSequences(int64_t rows) const;
  /// "device", on a GPU "host", and binomial schedules for so many shards, the cheapest first.
  llvm::SmallVector<std::string> boundaries(int64_t shards) const;

private:
  /// A way to keep the tape.
  struct Variant {
    TapePolicy policy;
    mlir::OwningOpRef<mlir::ModuleOp> module; ///< its kernels formed
    std::vector<ProgramWork> programs;        ///< counted
    /// Of its kernels; found when values are placed for the first time.
    std::optional<std::vector<KernelLaunches>> launches;
  };
  /// Variant, shard, mini-sequence.
  using Key = std::tuple<unsigned, int64_t, int64_t>;
  struct Placed {
    MemoryPlan memory; ///< without its programs
    CallParts parts;
  };

  Explorer(const PlanOptions &options, const Machine *rates) : options(options), rates(rates) {}
  /// `cut` is the module with its mini-sequences cut out.
  mlir::LogicalResult addVariant(mlir::ModuleOp cut, const TapePolicy &policy);
  /// Whether some stack's transfers take longer than the commands that they run beside.
  bool waitsForTransfers(const Variant &variant) const;
  Plan planOf(const Key &key) const;
  CallParts partsOf(llvm::ArrayRef<ProgramWork> programs, const Plan &plan) const;
  mlir::FailureOr<const Placed *> place(const Key &key);
  std::optional<Candidate> candidate(const Placed &placed, const std::string &boundaries) const;
  mlir::FailureOr<std::optional<Candidate>> smallestOf(const Key &key);
  void listKeys();

  PlanOptions options;
  const Machine *rates;
  std::vector<Variant> variants;
  uint64_t widestRow = 1;                   ///< bytes of the widest row of a mini-sequence
  uint64_t parameterBytes = 0;              ///< of parameters, and of gradients
  uint64_t leastBytes = 0;                  ///< that every plan takes
  std::vector<std::pair<double, Key>> keys; ///< with a lower bound of their objective, ascending
  std::map<Key, Placed> known;
  unsigned placed = 0;
};

/// Whether two plans keep their tapes in the same way.
bool keepsAlike(const Plan &a, const Plan &b);

/// The machine that `options` plan for.
const Machine &machineOf(const PlanOptions &options);

} // namespace adjc

#endif
