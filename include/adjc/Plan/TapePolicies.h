//===- TapePolicies.h - which values of the tape are stored, recomputed or offloaded --------------------*- C++ -*-===//
#ifndef ADJC_PLAN_TAPEPOLICIES_H
#define ADJC_PLAN_TAPEPOLICIES_H

#include "adjc/Plan/Plan.h"
#include "adjc/Plan/Sizes.h"

#include <optional>
#include <vector>

namespace adjc {

/// One way to keep a tape.
struct TapePolicy {
  std::string name;             ///< Plan::policy
  std::vector<TapeChoice> tape; ///< one per value of the tape, without bytes
};

/// The policies to choose from: the one that `options.policy` names, or for "auto" those from storing everything to
/// recomputing all that can be, each dropping one more value than the one before: that which frees most bytes for the
/// work of computing it again. What `options.keep` names is kept so in all of them. `module` is as adj-shard-tokens
/// leaves it. Fails with a diagnostic that lists the possible values when `options.keep` names others.
mlir::FailureOr<std::vector<TapePolicy>> tapePolicies(mlir::ModuleOp module, const PlanOptions &options);

/// `policy`, one of those for "auto", with one more of the values that it stores kept in host memory: that which takes
/// most work to compute again for its bytes. Nothing when it stores none that can be kept there.
std::optional<TapePolicy> offloadOneMore(mlir::ModuleOp module, const TapePolicy &policy, const PlanOptions &options);

/// Fills in the bytes of every choice for a shard of these sizes. `module` is as tapePolicies takes it.
void setTapeBytes(mlir::ModuleOp module, const ShardSizes &sizes, std::vector<TapeChoice> &tape);

/// Rewrites the programs to keep their tape so (recomputeTape, offloadTape).
mlir::LogicalResult applyTapePolicy(mlir::ModuleOp module, const std::vector<TapeChoice> &tape);

} // namespace adjc

#endif
