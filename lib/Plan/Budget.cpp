#include "adjc/Plan/Budget.h"

#include "adjc/Form/Passes.h"
#include "adjc/Plan/TapePolicies.h"
#include "adjrt/schedule/ArenaLayout.h"
#include "adjrt/schedule/Schedule.h"

#include <cmath>
#include <optional>

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

namespace {

/// The widest tensor of a mini-sequence, where the budget allows it: enough rows that its products, which read a whole
/// weight or table per mini-sequence, do not wait for memory.
constexpr uint64_t kMiniBytes = 128u << 20, kGpuMiniBytes = 1u << 30;

/// The most forward sweeps over the sequence that an automatic plan may take to save boundaries;
/// --boundaries=binomial:N has no such limit.
constexpr int64_t kMaximalSweeps = 6;

/// Rows beyond which a shard's activations leave the caches, and what a shard costs beside its rows, in rows.
constexpr double kCachedRows = 2048, kShardCost = 64, kMiniCost = 8;
/// On a GPU, which caches no shard and fills its processors only with thousands of rows.
constexpr double kGpuCachedRows = 1 << 16, kGpuShardCost = 512, kGpuMiniCost = 64;

class Chooser {
public:
  Chooser(ModuleOp module, const PlanOptions &options)
      : options(options), module(module.clone()), context(module.getContext()) {}

  FailureOr<Plan> run();

private:
  SmallVector<int64_t> shardLengths() const;
  SmallVector<int64_t> miniSequences(int64_t rows) const;
  LogicalResult tryPolicy(const TapePolicy &policy);
  void consider(const MemoryPlan &memory, const TapePolicy &policy);
  double costPerToken(const Plan &plan, const TapePolicy &policy) const;
  LogicalResult report() const;

  const PlanOptions &options;
  OwningOpRef<ModuleOp> module;
  MLIRContext *context;
  uint64_t widestRow = 1;
  std::optional<Plan> best, smallest;
  double bestCost = 0;
  uint64_t smallestPeak = 0;
};

SmallVector<int64_t> Chooser::shardLengths() const {
  if (options.shard != PlanOptions::kAuto)
    return {std::min(options.shard, options.context)};
  SmallVector<int64_t> lengths;
  for (int64_t length = 1; length < options.context && length * options.batch <= (int64_t(1) << 20); length *= 2)
    lengths.push_back(length);
  if (options.context * options.batch <= (int64_t(1) << 13) || lengths.empty())
    lengths.push_back(options.context);
  return lengths;
}

SmallVector<int64_t> Chooser::miniSequences(int64_t rows) const {
  if (options.miniSequence == PlanOptions::kOff)
    return {rows};
  if (options.miniSequence != PlanOptions::kAuto)
    return {std::min(rows, options.miniSequence)};
  SmallVector<int64_t> lengths;
  auto preferred = std::max<int64_t>(64, static_cast<int64_t>((options.gpu ? kGpuMiniBytes : kMiniBytes) / widestRow));
  // Mini-sequences of about one length: the last one is not much shorter.
  int64_t count = (rows + preferred - 1) / preferred;
  int64_t even = ((rows + count - 1) / count + 63) / 64 * 64;
  for (int64_t length : {even, int64_t(128), int64_t(64), int64_t(16), int64_t(4), int64_t(1)})
    if (lengths.empty() || std::min(length, rows) < lengths.back())
      lengths.push_back(std::min(length, rows));
  return lengths;
}

/// In units of one row's gradient; only for comparing plans of one model.
double Chooser::costPerToken(const Plan &plan, const TapePolicy &policy) const {
  auto rows = static_cast<double>(plan.rows());
  auto boundaries = adjrt::BoundaryPolicy::parse(plan.boundaries);
  int64_t shards = plan.shards();
  int64_t forwards = boundaries->kind == adjrt::BoundaryPolicy::Kind::Binomial
                         ? adjrt::binomialForwardCount(shards, boundaries->slots)
                         : shards - 1;
  double sweeps = static_cast<double>(forwards) / static_cast<double>(shards) + 3 + policy.forwardAgain;
  double cached = plan.gpu ? kGpuCachedRows : kCachedRows;
  double caches = rows <= cached ? 1 : 1 + 0.05 * std::log2(rows / cached);
  double mini = 1 + (plan.gpu ? kGpuMiniCost : kMiniCost) / static_cast<double>(plan.miniSequence);
  return sweeps * caches * (1 + (plan.gpu ? kGpuShardCost : kShardCost) / rows) * mini;
}

/// The fewest boundary slots with which a schedule stays within kMaximalSweeps.
int64_t fewestSlots(int64_t shards) {
  int64_t low = 1, high = std::max<int64_t>(1, shards);
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (adjrt::binomialForwardCount(shards, middle) <= kMaximalSweeps * shards)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

void Chooser::consider(const MemoryPlan &planned, const TapePolicy &policy) {
  MemoryPlan memory = planned;
  auto peakWith = [&](const std::string &boundaries) -> std::optional<uint64_t> {
    memory.plan.boundaries = boundaries;
    auto prediction = predictMemory(memory, memory.plan.context);
    return prediction ? std::optional(prediction->peak) : std::nullopt;
  };
  SmallVector<std::string> candidates;
  if (options.boundaries != "auto") {
    candidates.push_back(options.boundaries);
  } else {
    candidates.push_back("device");
    // Another memory than the budget's, and moving hides behind computing: for what does not fit otherwise.
    if (auto kept = peakWith("device"); options.gpu && kept && *kept > options.budget)
      candidates.push_back("host");
    // The fewest slots that are affordable, and the most that fit: peak grows by one slot with each.
    int64_t fewest = fewestSlots(memory.plan.shards());
    auto one = peakWith("binomial:1"), two = peakWith("binomial:2");
    if (fewest < memory.plan.shards() && one && two && *two > *one) {
      candidates.push_back("binomial:" + std::to_string(fewest));
      if (*one <= options.budget) {
        auto most = static_cast<int64_t>(1 + (options.budget - *one) / (*two - *one));
        if (most > fewest && most < memory.plan.shards())
          candidates.push_back("binomial:" + std::to_string(most));
      }
    }
  }
  for (const std::string &boundaries : candidates) {
    std::optional<uint64_t> peak = peakWith(boundaries);
    if (!peak)
      continue;
    if (!smallest || *peak < smallestPeak) {
      smallest = memory.plan;
      smallestPeak = *peak;
    }
    double cost = costPerToken(memory.plan, policy);
    if (*peak <= options.budget && (!best || cost < bestCost)) {
      best = memory.plan;
      bestCost = cost;
    }
  }
}

LogicalResult Chooser::report() const {
  Location unknown = UnknownLoc::get(context);
  if (!smallest)
    return emitError(unknown) << "no plan for --context=" << options.context
                              << " fits in any memory; use a shorter --context";
  std::string chosen = options.shard == PlanOptions::kAuto ? "" : " with --shard=" + std::to_string(options.shard);
  return emitError(unknown) << "--budget=" << options.budgetText
                            << " is too small for this model at --context=" << options.context << chosen
                            << "; the smallest that would do is --budget="
                            << formatSize(smallestPeak, StringRef(options.budgetText).ltrim("0123456789."))
                            << " (shards of " << smallest->shard << " tokens, boundaries " << smallest->boundaries
                            << ", policy " << smallest->policy << ")";
}

LogicalResult Chooser::tryPolicy(const TapePolicy &policy) {
  OwningOpRef<ModuleOp> keeping = module->clone();
  if (failed(applyTapePolicy(*keeping, policy.tape)) || failed(formKernels(*keeping)))
    return failure();
  for (int64_t shard : shardLengths())
    for (int64_t mini : miniSequences(shard * options.batch)) {
      Plan plan;
      plan.batch = options.batch;
      plan.shard = shard;
      plan.context = options.context;
      plan.miniSequence = mini;
      plan.budget = options.budget;
      plan.dtype = options.dtype;
      plan.adamw = options.adamw;
      plan.gpu = options.gpu;
      plan.boundaries = "device";
      plan.policy = policy.name;
      plan.tape = policy.tape;
      // Kept boundaries cost least: with them, and still slower than what is known to fit?
      if (best && costPerToken(plan, policy) >= bestCost)
        continue;
      FailureOr<MemoryPlan> memory = planMemory(*keeping, plan);
      if (failed(memory))
        return failure();
      consider(*memory, policy);
    }
  return success();
}

FailureOr<Plan> Chooser::run() {
  if (failed(cutLosses(*module)))
    return failure();
  widestRow = widestMiniRow(*module);
  for (const TapePolicy &policy : tapePolicies(*module, options.policy, options.gpu))
    if (failed(tryPolicy(policy)))
      return failure();
  if (!best)
    return report();
  ShardSizes sizes{best->batch, best->shard, best->rows()};
  setTapeBytes(*module, sizes, best->tape);
  return *best;
}

} // namespace

FailureOr<Plan> choosePlan(ModuleOp module, const PlanOptions &options) {
  if (options.boundaries != "auto")
    if (auto policy = adjrt::BoundaryPolicy::parse(options.boundaries); !policy)
      return emitError(UnknownLoc::get(module.getContext())) << policy.error().message;
  return Chooser(module, options).run();
}

} // namespace adjc
