#include "adjrt/schedule/ArenaLayout.h"
#include "adjrt/abi.h"

#include <limits>

namespace adjrt {
namespace {

/// Places regions one after the other, each at a multiple of ADJ_ALIGNMENT, and remembers whether the end still fits.
class Placer {
public:
  std::uint64_t place(std::uint64_t bytes, std::uint64_t times = 1) {
    const std::uint64_t offset = end;
    const std::uint64_t padded = roundUp(bytes);
    std::uint64_t all = 0, next = 0;
    fits = fits && !__builtin_mul_overflow(padded, times, &all) && !__builtin_add_overflow(end, all, &next) &&
           next <= std::uint64_t(std::numeric_limits<std::int64_t>::max());
    end = fits ? next : 0;
    return offset;
  }

  std::uint64_t roundUp(std::uint64_t bytes) {
    std::uint64_t padded = 0;
    fits = fits && !__builtin_add_overflow(bytes, std::uint64_t(ADJ_ALIGNMENT - 1), &padded);
    return padded / ADJ_ALIGNMENT * ADJ_ALIGNMENT;
  }

  std::uint64_t end = 0;
  bool fits = true;
};

} // namespace

Expected<ArenaLayout> ArenaLayout::make(std::uint64_t parameterBytes, std::uint64_t workingCopyBytes,
                                        std::uint64_t fixedBytes, std::uint64_t boundaryBytes, bool optimizer,
                                        std::int64_t slots) {
  Placer placer;
  ArenaLayout layout;
  layout.optimizer = optimizer;
  layout.slots = slots;
  layout.parameters = placer.place(parameterBytes);
  layout.gradients = placer.place(parameterBytes);
  layout.workingCopies = placer.place(workingCopyBytes);
  layout.firstMoment = placer.place(optimizer ? parameterBytes : 0);
  layout.secondMoment = placer.place(optimizer ? parameterBytes : 0);
  layout.fixed = placer.place(fixedBytes);
  layout.slotStride = placer.roundUp(boundaryBytes);
  layout.cotangents = placer.place(boundaryBytes, 2);
  layout.boundaries = placer.place(boundaryBytes, static_cast<std::uint64_t>(slots));
  layout.total = placer.end;
  if (!placer.fits || slots < 0)
    return invalidInput("an arena with " + std::to_string(slots) + " boundary slots of " +
                        std::to_string(boundaryBytes) +
                        " bytes is larger than any memory; use a longer shard or fewer tokens");
  return layout;
}

Expected<HostLayout> HostLayout::make(std::uint64_t hostBytes, std::uint64_t boundaryBytes, std::int64_t slots) {
  Placer placer;
  HostLayout layout;
  layout.slots = slots;
  placer.place(hostBytes);
  layout.slotStride = placer.roundUp(boundaryBytes);
  layout.boundaries = placer.place(boundaryBytes, static_cast<std::uint64_t>(slots));
  layout.total = placer.end;
  if (!placer.fits || slots < 0)
    return invalidInput("host memory for " + std::to_string(hostBytes) + " bytes of programs and " +
                        std::to_string(slots) + " boundaries of " + std::to_string(boundaryBytes) +
                        " bytes is larger than any memory; use a longer shard or fewer tokens");
  return layout;
}

} // namespace adjrt
