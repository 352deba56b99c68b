//===- CallCost.cpp - seconds of one gradient, whatever its length ----------------------------------------------===//
#include "adjc/Plan/Cost/CallCost.h"

#include "adjrt/schedule/Schedule.h"

using namespace mlir;

namespace adjc {

int64_t countForwards(const std::string &boundaries, int64_t shards) {
  auto policy = adjrt::BoundaryPolicy::parse(boundaries);
  bool binomial = policy && policy->kind == adjrt::BoundaryPolicy::Kind::Binomial;
  return binomial ? adjrt::binomialForwardCount(shards, policy->slots) : shards - 1;
}

double secondsOnce(const Machine &machine, const Plan &plan, int64_t tokens, uint64_t parameterBytes) {
  constexpr double bytesPerToken = 4 + 4 + 1;
  double brought = bytesPerToken * static_cast<double>(plan.batch) * static_cast<double>(tokens);
  return static_cast<double>(parameterBytes) / machine.memory + brought / machine.link;
}

double CallParts::secondsOf(const std::string &boundaries, int64_t shards) const {
  double moved = boundaries == "host" ? boundary : 0;
  return once + std::max(forward, moved) * static_cast<double>(countForwards(boundaries, shards)) +
         std::max(gradient, moved) * static_cast<double>(shards - 1) + last;
}

CallCost costOfCall(ArrayRef<ProgramWork> programs, const Machine &machine, const Plan &plan, int64_t tokens,
                    uint64_t parameterBytes, uint64_t boundaryBytes) {
  CallCost cost;
  int64_t shards = (tokens + plan.shard - 1) / plan.shard, last = tokens - (shards - 1) * plan.shard;
  cost.tokens = plan.batch * tokens;
  cost.forwards = countForwards(plan.boundaries, shards);
  cost.gradients = shards;
  cost.otherSeconds = secondsOnce(machine, plan, tokens, parameterBytes);
  for (const ProgramWork &program : programs) {
    SecondsBy full = program.secondsBy(machine, plan.batch, plan.shard, plan.miniSequence);
    if (program.name == "forward") {
      cost.forwardSeconds = full.total;
      cost.by.add(full, static_cast<double>(cost.forwards));
    } else if (program.name == "gradient") {
      cost.gradientSeconds = full.total;
      cost.by.add(full, static_cast<double>(shards - 1));
      cost.by.add(program.secondsBy(machine, plan.batch, last, plan.miniSequence), 1);
    } else {
      cost.otherSeconds += full.total;
      cost.by.add(full, 1);
      cost.by.total -= full.total;
    }
  }
  cost.by.total += cost.otherSeconds;
  if (plan.boundaries == "host") {
    double moved = static_cast<double>(boundaryBytes) / machine.link;
    double waiting = std::max(0.0, moved - cost.forwardSeconds) * static_cast<double>(cost.forwards) +
                     std::max(0.0, moved - cost.gradientSeconds) * static_cast<double>(shards - 1);
    cost.by.op["transfer"] += waiting;
    cost.by.kind[static_cast<unsigned>(WorkKind::Transfer)] += waiting;
    cost.by.bytes[static_cast<unsigned>(WorkKind::Transfer)] +=
        2.0 * static_cast<double>(boundaryBytes) * static_cast<double>(shards - 1);
    cost.by.total += waiting;
  }
  cost.seconds = cost.by.total;
  return cost;
}

std::vector<ProgramWork> withCopies(std::vector<ProgramWork> counted, const MemoryPlan &memory) {
  for (auto [work, plan] : llvm::zip(counted, memory.programs))
    addCopies(work, plan);
  return counted;
}

} // namespace adjc
