// Which of the arena's boundary slots holds what while a schedule is executed: saving a boundary keeps the slot it is
// in, so that nothing is copied. Offloading keeps it until the boundary has been moved to the host.
#ifndef ADJRT_SESSION_BOUNDARYSLOTS_H
#define ADJRT_SESSION_BOUNDARYSLOTS_H

#include "adjrt/schedule/Schedule.h"

#include <deque>
#include <optional>
#include <vector>

namespace adjrt {

class BoundarySlots {
public:
  /// `arenaSlots` slots of the arena, `storageSlots` of the schedule. Boundary 0 is current, in arena slot 0.
  BoundarySlots(std::int64_t arenaSlots, std::int64_t storageSlots);

  std::int64_t current() const { return currentSlot; }

  /// What has to be awaited before `next` or `prefetch`: all offloads but so many of the last ones. None when a slot is
  /// free.
  std::optional<std::uint64_t> mustAwait();
  /// The same for all offloads: what was moved to the host is about to be read there.
  std::optional<std::uint64_t> mustAwaitAll();

  /// A slot to write the boundary after the current one to; Failed when all are in use (the arena has too few).
  Expected<std::int64_t> next();

  void save(const Action &action);
  void restore(const Action &action);
  /// The current boundary is on its way to the host: its slot is in use until that was awaited.
  void offload();
  /// A slot for a boundary that comes from the host, which the next `restore` makes the current one.
  Expected<std::int64_t> prefetch();
  /// After a shard ran forward: `output` is the current boundary.
  void advance(std::int64_t output);
  /// After the gradient of shard `index`: the current boundary, and those stored after it, are no longer needed; nor is
  /// `output`, unless it is the final state and to be kept.
  void finish(std::int64_t index, std::int64_t output, bool keepOutput);

private:
  struct Stored {
    std::int64_t boundary, arenaSlot;
  };
  void acquire(std::int64_t slot) { ++users[static_cast<std::size_t>(slot)]; }
  void release(std::int64_t slot);

  std::vector<Stored> stored; ///< by the schedule's slot; those below `filled` count
  std::size_t filled = 0;
  std::vector<std::uint32_t> users;     ///< of each arena slot: how many of stored, current and kept hold it
  std::vector<std::int64_t> freeSlots;  ///< those without users
  std::int64_t currentSlot = 0;         ///< -1: none, a gradient used it up
  std::deque<std::int64_t> leaving;     ///< slots that are read by offloads nobody awaited, the oldest first
  std::optional<std::int64_t> arriving; ///< where the prefetched boundary is
};

} // namespace adjrt

#endif
