//===- CallCost.h - seconds of one gradient, whatever its length ---------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_COST_CALLCOST_H
#define ADJC_PLAN_COST_CALLCOST_H

#include "adjc/Plan/Cost/ProgramCost.h"
#include "adjc/Plan/MemoryPlan.h"

namespace adjc {

/// What one call of value_and_grad takes, by the cost model.
struct CallCost {
  double seconds = 0;
  int64_t tokens = 0;         ///< of the whole batch
  int64_t forwards = 0;       ///< runs of the forward program
  int64_t gradients = 0;      ///< runs of the gradient program: one per shard
  double forwardSeconds = 0;  ///< of one run on a full shard
  double gradientSeconds = 0; ///< the same
  double otherSeconds = 0;    ///< once per call: gradients set to zero, working copies, tokens brought in
  SecondsBy by;

  double tokensPerSecond() const { return static_cast<double>(tokens) / seconds; }
};

/// Forward runs of the plan's schedule over `shards` shards.
int64_t countForwards(const std::string &boundaries, int64_t shards);

/// Seconds of the parts of a call, from which those of any schedule follow.
struct CallParts {
  double forward = 0;  ///< one run on a full shard
  double gradient = 0; ///< the same
  double last = 0;     ///< the gradient of the last shard
  double once = 0;
  double boundary = 0; ///< moving one boundary to the host, or back

  /// With the plan's boundaries over `shards` shards. Those on the host move beside the runs, one at a time each way.
  double secondsOf(const std::string &boundaries, int64_t shards) const;
};

/// One call with `tokens` tokens per sequence: the schedule's forward runs on full shards, a gradient run for every
/// shard, of which the last may be shorter. `parameterBytes`: of the gradients, which the call sets to zero first.
/// `boundaryBytes`: of one boundary.
CallCost costOfCall(llvm::ArrayRef<ProgramWork> programs, const Machine &machine, const Plan &plan, int64_t tokens,
                    uint64_t parameterBytes, uint64_t boundaryBytes);

/// What a call of so many tokens per sequence does once, beside its programs: it sets the gradients to zero and brings
/// tokens, targets and resets in. Seconds.
double secondsOnce(const Machine &machine, const Plan &plan, int64_t tokens, uint64_t parameterBytes);

/// What the planned programs do: `counted`, and the copies of `memory`.
std::vector<ProgramWork> withCopies(std::vector<ProgramWork> counted, const MemoryPlan &memory);

} // namespace adjc

#endif
