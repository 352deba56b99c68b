#include "adjc/Plan/Alternatives.h"

using namespace mlir;

namespace adjc {

namespace {

class Finder {
public:
  Finder(Explorer &explorer, const Plan &chosen) : explorer(explorer), chosen(chosen) {}

  LogicalResult addShards() {
    // Those next to the chosen one, by factors of two.
    SmallVector<int64_t> lengths;
    for (int64_t factor : {8, 4, 2})
      if (chosen.shard / factor >= 1)
        lengths.push_back(chosen.shard / factor);
    lengths.push_back(chosen.shard);
    for (int64_t factor : {2, 4})
      lengths.push_back(std::min(chosen.context, chosen.shard * factor));
    lengths.erase(llvm::unique(lengths), lengths.end());
    for (int64_t shard : lengths) {
      Plan plan = chosen;
      plan.shard = shard;
      plan.miniSequence = std::min(plan.miniSequence, plan.rows());
      if (failed(add("shard", std::to_string(shard) + " tokens", plan, shard == chosen.shard)))
        return failure();
    }
    return success();
  }

  LogicalResult addBoundaries() {
    if (chosen.shards() < 4)
      return success();
    SmallVector<std::string> kept{"device", "host"};
    for (int64_t slots = 4; slots < chosen.shards() - 2; slots *= 4)
      kept.push_back("binomial:" + std::to_string(slots));
    if (!llvm::is_contained(kept, chosen.boundaries))
      kept.push_back(chosen.boundaries);
    for (const std::string &boundaries : kept) {
      Plan plan = chosen;
      plan.boundaries = boundaries;
      if (failed(add("boundaries", boundaries, plan, boundaries == chosen.boundaries)))
        return failure();
    }
    return success();
  }

  LogicalResult addMiniSequences() {
    SmallVector<int64_t> lengths{chosen.rows(), chosen.miniSequence * 2, chosen.miniSequence, chosen.miniSequence / 4,
                                 chosen.miniSequence / 16};
    int64_t last = 0;
    for (int64_t rows : lengths) {
      if (rows < 1 || rows > chosen.rows() || rows == last)
        continue;
      last = rows;
      Plan plan = chosen;
      plan.miniSequence = rows;
      std::string name = rows == chosen.rows() ? "off" : std::to_string(rows) + " rows";
      if (failed(add("mini-sequence", name, plan, rows == chosen.miniSequence)))
        return failure();
    }
    return success();
  }

  /// The ways to keep the tape that each of `explorers` enumerates.
  LogicalResult addPolicies(ArrayRef<Explorer *> explorers) {
    std::vector<Plan> seen;
    for (Explorer *all : explorers)
      for (const TapePolicy &policy : all->policies()) {
        Plan plan = chosen;
        plan.policy = policy.name;
        plan.tape = policy.tape;
        // Of plans that move a part of the tape, the one that was chosen says enough.
        if (plan.policy == "mixed" && !plan.valuesKept(Keep::Offload).empty() && !keepsAlike(plan, chosen))
          continue;
        if (llvm::any_of(seen, [&](const Plan &other) { return keepsAlike(plan, other); }))
          continue;
        seen.push_back(plan);
        if (failed(addOf(*all, "policy", policyOf(plan), plan, keepsAlike(plan, chosen))))
          return failure();
      }
    return success();
  }

  LogicalResult addBudgets(uint64_t asked) {
    FailureOr<std::optional<Candidate>> smallest = explorer.smallest();
    if (failed(smallest))
      return failure();
    std::vector<BudgetOffer> offers;
    auto offer = [&](uint64_t budget) -> LogicalResult {
      FailureOr<std::optional<Candidate>> best = explorer.best(budget);
      if (failed(best))
        return failure();
      offers.push_back({budget, *best, budget == asked, false});
      return success();
    };
    // Shares of what the chosen plan takes, then more than was asked for.
    FailureOr<std::optional<Candidate>> now = explorer.best(asked);
    if (failed(now))
      return failure();
    SmallVector<uint64_t> budgets;
    if (*smallest)
      budgets.push_back((*smallest)->peak);
    if (*now)
      for (uint64_t quarters : {1, 2, 3})
        budgets.push_back((*now)->peak / 4 * quarters);
    budgets.push_back(asked);
    budgets.push_back(asked + asked / 2);
    budgets.push_back(asked * 2);
    for (uint64_t budget : budgets)
      if ((!*smallest || budget >= (*smallest)->peak) && failed(offer(budget)))
        return failure();
    if (*smallest)
      offers.front().smallest = true;
    llvm::stable_sort(offers, [](const auto &a, const auto &b) { return a.budget < b.budget; });
    result.budgets = std::move(offers);
    return success();
  }

  Alternatives result;

private:
  LogicalResult add(StringRef choice, const std::string &value, const Plan &plan, bool isChosen) {
    return addOf(explorer, choice, value, plan, isChosen);
  }

  LogicalResult addOf(Explorer &explorer, StringRef choice, const std::string &value, const Plan &plan, bool isChosen) {
    FailureOr<std::optional<Candidate>> candidate = explorer.evaluate(plan);
    if (failed(candidate))
      return failure();
    if (*candidate)
      result.list.push_back({choice.str(), value, **candidate, isChosen});
    return success();
  }

  Explorer &explorer;
  const Plan &chosen;
};

} // namespace

std::string policyOf(const Plan &plan) {
  if (plan.policy != "mixed")
    return plan.policy;
  std::string text = plan.policy;
  for (Keep keep : {Keep::Recompute, Keep::Offload})
    if (size_t count = plan.valuesKept(keep).size())
      text += ", " + std::to_string(count) + " of " + std::to_string(plan.tape.size()) +
              (keep == Keep::Recompute ? " recomputed" : " offloaded");
  return text;
}

FailureOr<Alternatives> findAlternatives(ModuleOp module, const PlanOptions &options, const Plan &chosen) {
  FailureOr<Explorer> explorer = Explorer::create(module, options);
  if (failed(explorer))
    return failure();
  Finder finder(*explorer, chosen);
  // Whatever the policy asked for, others are looked at too.
  std::vector<Explorer> others;
  for (const char *policy : {"auto", "offload"}) {
    if (options.policy == policy)
      continue;
    PlanOptions other = options;
    other.policy = policy;
    FailureOr<Explorer> one = Explorer::create(module, other);
    if (failed(one))
      return failure();
    others.push_back(std::move(*one));
  }
  SmallVector<Explorer *> all{&*explorer};
  for (Explorer &one : others)
    all.push_back(&one);
  if (failed(finder.addPolicies(all)) || failed(finder.addShards()) || failed(finder.addBoundaries()) ||
      failed(finder.addMiniSequences()) || failed(finder.addBudgets(options.budget)))
    return failure();
  return std::move(finder.result);
}

} // namespace adjc
