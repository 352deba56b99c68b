#include "BoundarySlots.h"

#include <algorithm>

namespace adjrt {

BoundarySlots::BoundarySlots(std::int64_t arenaSlots, std::int64_t storageSlots)
    : stored(static_cast<std::size_t>(storageSlots)), users(static_cast<std::size_t>(arenaSlots), 0) {
  freeSlots.reserve(users.size());
  for (std::int64_t slot = arenaSlots - 1; slot > 0; --slot)
    freeSlots.push_back(slot);
  acquire(0);
}

void BoundarySlots::release(std::int64_t slot) {
  if (--users[static_cast<std::size_t>(slot)] == 0)
    freeSlots.push_back(slot);
}

Expected<std::int64_t> BoundarySlots::next() {
  if (freeSlots.empty())
    return failed("the schedule needs more than the arena's " + std::to_string(users.size()) + " boundary slots");
  const std::int64_t slot = freeSlots.back();
  freeSlots.pop_back();
  acquire(slot);
  return slot;
}

void BoundarySlots::save(const Action &action) {
  const auto slot = static_cast<std::size_t>(action.slot);
  acquire(currentSlot);
  if (slot < filled)
    release(stored[slot].arenaSlot);
  filled = std::max(filled, slot + 1);
  stored[slot] = {action.index, currentSlot};
}

std::optional<std::uint64_t> BoundarySlots::mustAwait() {
  if (!freeSlots.empty() || leaving.empty())
    return std::nullopt;
  while (freeSlots.empty() && !leaving.empty()) {
    release(leaving.front());
    leaving.pop_front();
  }
  return leaving.size();
}

std::optional<std::uint64_t> BoundarySlots::mustAwaitAll() {
  if (leaving.empty())
    return std::nullopt;
  for (std::int64_t slot : leaving)
    release(slot);
  leaving.clear();
  return 0;
}

void BoundarySlots::offload() {
  acquire(currentSlot);
  leaving.push_back(currentSlot);
}

Expected<std::int64_t> BoundarySlots::prefetch() {
  ADJ_ASSIGN_OR_RETURN(const std::int64_t slot, next());
  arriving = slot;
  return slot;
}

void BoundarySlots::restore(const Action &action) {
  std::int64_t slot = 0;
  if (arriving) { // acquired when it was prefetched
    slot = *arriving;
    arriving.reset();
  } else {
    slot = stored[static_cast<std::size_t>(action.slot)].arenaSlot;
    acquire(slot);
  }
  if (currentSlot >= 0)
    release(currentSlot);
  currentSlot = slot;
}

void BoundarySlots::advance(std::int64_t output) {
  release(currentSlot);
  currentSlot = output; // acquired by next()
}

void BoundarySlots::finish(std::int64_t index, std::int64_t output, bool keepOutput) {
  release(currentSlot);
  currentSlot = -1;
  if (!keepOutput)
    release(output);
  // Schedules store boundaries in ascending slots: the dead ones are the last that are filled.
  for (; filled > 0 && stored[filled - 1].boundary >= index; --filled)
    release(stored[filled - 1].arenaSlot);
}

} // namespace adjrt
