#include "adjrt/schedule/Simulator.h"

#include <algorithm>
#include <string>

namespace adjrt {

StorageSimulator::StorageSimulator(std::int64_t shards, std::int64_t slots)
    : shards(shards), nextGradient(shards - 1), held(static_cast<std::size_t>(slots)) {}

void StorageSimulator::keep(std::size_t slot, std::int64_t boundary, bool onHost) {
  held[slot] = {boundary, onHost};
  // Boundaries after the next gradient are dead: their slots count as empty.
  total.peakSlots =
      std::max<std::int64_t>(total.peakSlots, std::count_if(held.begin(), held.end(), [&](const Slot &it) {
                               return it.boundary >= 0 && it.boundary <= nextGradient;
                             }));
}

Status StorageSimulator::apply(const Action &action) {
  if (done)
    return failed("an action after End");
  const std::string index = std::to_string(action.index);
  const bool fromSlot = action.kind == Action::Kind::Restore || action.kind == Action::Kind::Prefetch;
  const bool needsCurrent = !fromSlot && action.kind != Action::Kind::End;
  if (needsCurrent && current != action.index)
    return failed("boundary " + index + " is needed, but " + (current < 0 ? "none" : std::to_string(current)) +
                  " is the current one");
  const bool usesSlot = fromSlot || action.kind == Action::Kind::Save || action.kind == Action::Kind::Offload;
  if (usesSlot && (action.slot < 0 || action.slot >= static_cast<std::int64_t>(held.size())))
    return failed("slot " + std::to_string(action.slot) + " is not one of " + std::to_string(held.size()));
  if (fromSlot && held[static_cast<std::size_t>(action.slot)].boundary != action.index)
    return failed("slot " + std::to_string(action.slot) + " does not hold boundary " + index);

  switch (action.kind) {
  case Action::Kind::Forward:
  case Action::Kind::Recompute: {
    if (action.index >= shards - 1)
      return failed("shard " + index + " has no boundary after it to compute");
    if ((action.kind == Action::Kind::Forward) != (action.index == furthest))
      return failed("shard " + index + " is run as if " + std::to_string(furthest) + " shards had not run before");
    furthest = std::max(furthest, action.index + 1);
    ++(action.kind == Action::Kind::Forward ? total.forwards : total.recomputes);
    current = action.index + 1;
    return {};
  }
  case Action::Kind::Save:
    keep(static_cast<std::size_t>(action.slot), action.index, false);
    ++total.saves;
    return {};
  case Action::Kind::Offload:
    keep(static_cast<std::size_t>(action.slot), action.index, true);
    ++total.offloads;
    return {};
  case Action::Kind::Prefetch:
    if (!held[static_cast<std::size_t>(action.slot)].onHost)
      return failed("boundary " + index + " is not on the host");
    if (prefetched >= 0)
      return failed("boundary " + std::to_string(prefetched) + " was prefetched and not restored");
    prefetched = action.index;
    ++total.prefetches;
    return {};
  case Action::Kind::Restore:
    if (held[static_cast<std::size_t>(action.slot)].onHost) {
      if (prefetched != action.index)
        return failed("boundary " + index + " is on the host and was not prefetched");
      prefetched = -1;
    }
    current = action.index;
    ++total.restores;
    return {};
  case Action::Kind::Gradient:
    if (action.index != nextGradient)
      return failed("gradient of shard " + index + " where " + std::to_string(nextGradient) + " is due");
    --nextGradient;
    current = -1;
    return {};
  case Action::Kind::End:
    if (nextGradient >= 0)
      return failed("End with the gradient of shard " + std::to_string(nextGradient) + " still due");
    done = true;
    return {};
  }
  return failed("an unknown action");
}

Expected<ScheduleCost> StorageSimulator::run(Schedule &schedule, std::int64_t shards, std::int64_t slots) {
  StorageSimulator simulator(shards, slots);
  for (std::int64_t place = 0; !simulator.ended(); ++place)
    if (Status status = simulator.apply(schedule.next()); !status)
      return tl::unexpected<Error>(status.error().in("action " + std::to_string(place)));
  return simulator.cost();
}

std::int64_t optimalForwardCount(std::int64_t shards, std::int64_t slots) {
  // least[l] for the slots seen so far: differentiate l shards from a stored boundary that counts as one of the slots.
  const auto size = static_cast<std::size_t>(shards) + 1;
  std::vector<std::int64_t> fewer(size, 0), least(size, 0);
  for (std::size_t length = 1; length < size; ++length)
    least[length] = static_cast<std::int64_t>(length * (length - 1) / 2);
  for (std::int64_t slot = 2; slot <= slots; ++slot) {
    fewer.swap(least);
    for (std::size_t length = 2; length < size; ++length) {
      std::int64_t best = static_cast<std::int64_t>(length * (length - 1) / 2);
      for (std::size_t left = 1; left < length; ++left)
        best = std::min(best, static_cast<std::int64_t>(left) + fewer[length - left] + least[left]);
      least[length] = best;
    }
    least[0] = least[1] = 0;
  }
  return least[size - 1];
}

} // namespace adjrt
