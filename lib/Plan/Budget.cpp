#include "adjc/Plan/Budget.h"

#include "adjc/Plan/Explorer.h"
#include "adjc/Plan/TapePolicies.h"
#include "adjrt/schedule/ArenaLayout.h"
#include "adjrt/schedule/Schedule.h"

using namespace mlir;

namespace adjc {

uint64_t bytesPerUnit(StringRef unit) {
  const std::pair<StringRef, uint64_t> units[] = {
      {"", 1},
      {"B", 1},
      {"kB", 1'000},
      {"KB", 1'000},
      {"MB", 1'000'000},
      {"GB", 1'000'000'000},
      {"TB", 1'000'000'000'000},
      {"KiB", uint64_t(1) << 10},
      {"MiB", uint64_t(1) << 20},
      {"GiB", uint64_t(1) << 30},
      {"TiB", uint64_t(1) << 40},
  };
  for (auto [name, bytes] : units)
    if (name == unit)
      return bytes;
  return 0;
}

std::string formatSize(uint64_t bytes, StringRef unit) {
  uint64_t size = bytesPerUnit(unit);
  if (size <= 1)
    return std::to_string(bytes) + unit.str();
  uint64_t whole = bytes / size, rest = bytes % size;
  auto hundredths = static_cast<uint64_t>((static_cast<__uint128_t>(rest) * 100 + size - 1) / size);
  whole += hundredths / 100;
  hundredths %= 100;
  return std::to_string(whole) + "." + std::to_string(hundredths / 10) + std::to_string(hundredths % 10) + unit.str();
}

adjrt::Expected<MemoryPrediction> predictMemory(const MemoryPlan &memory, int64_t tokens) {
  ADJ_ASSIGN_OR_RETURN(auto policy, adjrt::BoundaryPolicy::parse(memory.plan.boundaries));
  int64_t shards = (tokens + memory.plan.shard - 1) / memory.plan.shard;
  MemoryPrediction prediction;
  prediction.slots = adjrt::arenaSlots(policy, shards);
  ADJ_ASSIGN_OR_RETURN(auto layout, adjrt::ArenaLayout::make(memory.parameters.bytes(), memory.workingCopies.bytes(),
                                                             memory.fixedBytes, memory.carries.bytes(),
                                                             memory.plan.adamw, prediction.slots));
  ADJ_ASSIGN_OR_RETURN(
      auto host, adjrt::HostLayout::make(memory.hostBytes, memory.carries.bytes(), adjrt::hostSlots(policy, shards)));
  prediction.arena = layout.total;
  prediction.host = host.total;
  prediction.peak = layout.total + memory.plan.processBytes() + memory.plan.fileBytes(tokens);
  if (!memory.plan.gpu)
    prediction.peak += prediction.host;
  return prediction;
}

/// A budget within which nothing fits.
static LogicalResult emitTooSmall(MLIRContext *context, const PlanOptions &options,
                                  const std::optional<Candidate> &smallest) {
  Location unknown = UnknownLoc::get(context);
  if (!smallest)
    return emitError(unknown) << "no plan for --context=" << options.context
                              << " fits in any memory; use a shorter --context";
  std::string chosen = options.shard == PlanOptions::kAuto ? "" : " with --shard=" + std::to_string(options.shard);
  return emitError(unknown) << "--budget=" << options.budgetText
                            << " is too small for this model at --context=" << options.context << chosen
                            << "; the smallest that would do is --budget="
                            << formatSize(smallest->peak, StringRef(options.budgetText).ltrim("0123456789."))
                            << " (shards of " << smallest->plan.shard << " tokens, boundaries "
                            << smallest->plan.boundaries << ", policy " << smallest->plan.policy << ")";
}

FailureOr<Plan> choosePlan(ModuleOp module, const PlanOptions &options) {
  if (options.boundaries != "auto")
    if (auto policy = adjrt::BoundaryPolicy::parse(options.boundaries); !policy)
      return emitError(UnknownLoc::get(module.getContext())) << policy.error().message;
  FailureOr<Explorer> explorer = Explorer::create(module, options);
  if (failed(explorer))
    return failure();
  FailureOr<std::optional<Candidate>> best = explorer->best(options.budget);
  if (failed(best))
    return failure();
  if (*best) {
    Plan plan = (*best)->plan;
    setTapeBytes(module, {plan.batch, plan.shard, plan.rows()}, plan.tape);
    return plan;
  }
  FailureOr<std::optional<Candidate>> smallest = explorer->smallest();
  if (failed(smallest))
    return failure();
  return emitTooSmall(module.getContext(), options, *smallest);
}

} // namespace adjc
