// adjrt/schedule/Simulator.h - executes a schedule on symbolic boundaries and proves it valid, or says what is wrong.
#ifndef ADJRT_SCHEDULE_SIMULATOR_H
#define ADJRT_SCHEDULE_SIMULATOR_H

#include "adjrt/schedule/Schedule.h"

#include <vector>

namespace adjrt {

/// What a schedule cost.
struct ScheduleCost {
  std::int64_t forwards = 0;   ///< Forward actions
  std::int64_t recomputes = 0; ///< Recompute actions
  std::int64_t saves = 0;
  std::int64_t restores = 0;
  std::int64_t offloads = 0;
  std::int64_t prefetches = 0;
  std::int64_t peakSlots = 0; ///< most slots holding a boundary at one time
};

/// A store of `slots` boundaries and one current boundary, on which actions are checked one by one.
class StorageSimulator {
public:
  StorageSimulator(std::int64_t shards, std::int64_t slots);

  /// Apply one action; Failed says why it is not allowed: a wrong current boundary, a slot out of range or not holding
  /// what is restored, one restored from the host that was not prefetched, a gradient out of order, a Forward of a
  /// shard that ran before, an action after End, an End too early.
  Status apply(const Action &action);

  /// Run a whole schedule. The cost, or the first action that is not allowed and its place in the stream.
  static Expected<ScheduleCost> run(Schedule &schedule, std::int64_t shards, std::int64_t slots);

  const ScheduleCost &cost() const { return total; }
  bool ended() const { return done; }

private:
  std::int64_t shards;
  std::int64_t current = 0;  ///< the current boundary; -1 after a Gradient used it up
  std::int64_t furthest = 0; ///< shards below this ran forward
  std::int64_t nextGradient;
  bool done = false;
  void keep(std::size_t slot, std::int64_t boundary, bool onHost);

  struct Slot {
    std::int64_t boundary = -1; ///< -1: empty
    bool onHost = false;
  };
  std::vector<Slot> held;
  std::int64_t prefetched = -1; ///< the boundary that was prefetched and not restored; -1: none
  ScheduleCost total;
};

/// The least number of Forward and Recompute actions for M shards and N slots, by dynamic programming over all
/// schedules: O(M^2 N) time. The judge of the binomial schedule.
std::int64_t optimalForwardCount(std::int64_t shards, std::int64_t slots);

} // namespace adjrt

#endif
