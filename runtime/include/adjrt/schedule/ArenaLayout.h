// adjrt/schedule/ArenaLayout.h - where things lie in a session's arena: parameters, gradients, working copies of
// parameters, optimizer state, the programs' fixed part, two cotangent slots, boundary slots (docs/architecture.md).
// Offsets and sizes in bytes. The planner of the compiler and the session use the same code, so that a plan's
// prediction is what a session allocates.
#ifndef ADJRT_SCHEDULE_ARENALAYOUT_H
#define ADJRT_SCHEDULE_ARENALAYOUT_H

#include "adjrt/support/Status.h"

#include <cstdint>

namespace adjrt {

struct ArenaLayout {
  std::uint64_t parameters = 0;
  std::uint64_t gradients = 0;
  std::uint64_t workingCopies = 0;
  std::uint64_t firstMoment = 0, secondMoment = 0; ///< equal to `fixed` when there is no optimizer
  std::uint64_t fixed = 0;
  std::uint64_t cotangents = 0; ///< two slots
  std::uint64_t boundaries = 0; ///< `slots` slots
  std::uint64_t slotStride = 0; ///< bytes from one slot to the next: boundary_bytes rounded up to ADJ_ALIGNMENT
  std::int64_t slots = 0;
  bool optimizer = false;
  std::uint64_t total = 0;

  std::uint64_t cotangentSlot(int index) const { return cotangents + slotStride * static_cast<std::uint64_t>(index); }
  std::uint64_t boundarySlot(std::int64_t index) const {
    return boundaries + slotStride * static_cast<std::uint64_t>(index);
  }

  /// The layout for `slots` boundary slots; InvalidInput when its size does not fit in 63 bits. The planner uses it
  /// too.
  static Expected<ArenaLayout> make(std::uint64_t parameterBytes, std::uint64_t workingCopyBytes,
                                    std::uint64_t fixedBytes, std::uint64_t boundaryBytes, bool optimizer,
                                    std::int64_t slots);
};

/// Where things lie in a session's memory of the host: the programs' host part, then boundary slots.
struct HostLayout {
  std::uint64_t boundaries = 0; ///< `slots` slots
  std::uint64_t slotStride = 0;
  std::int64_t slots = 0;
  std::uint64_t total = 0;

  std::uint64_t boundarySlot(std::int64_t index) const {
    return boundaries + slotStride * static_cast<std::uint64_t>(index);
  }

  /// InvalidInput when its size does not fit in 63 bits. The planner uses it too.
  static Expected<HostLayout> make(std::uint64_t hostBytes, std::uint64_t boundaryBytes, std::int64_t slots);
};

} // namespace adjrt

#endif
