#include "adjrt/schedule/Schedule.h"

#include <charconv>

namespace adjrt {

std::unique_ptr<Schedule> makeSchedule(const BoundaryPolicy &policy, std::int64_t shards) {
  switch (policy.kind) {
  case BoundaryPolicy::Kind::Host:
    return makeHostStore(shards);
  case BoundaryPolicy::Kind::Binomial:
    return makeBinomial(shards, policy.slots);
  default:
    return makeStoreAll(shards);
  }
}

std::int64_t arenaSlots(const BoundaryPolicy &policy, std::int64_t shards) {
  // At no time do more than M + 1 different boundaries matter; the session's slots hold nothing else.
  if (policy.kind == BoundaryPolicy::Kind::Device)
    return shards + 1;
  const std::int64_t stored = policy.kind == BoundaryPolicy::Kind::Host ? 1 : policy.slots;
  return stored >= shards - 2 ? shards + 1 : stored + 3;
}

std::int64_t hostSlots(const BoundaryPolicy &policy, std::int64_t shards) {
  return policy.kind == BoundaryPolicy::Kind::Host ? shards - 1 : 0;
}

Expected<BoundaryPolicy> BoundaryPolicy::parse(std::string_view text) {
  if (text == "device")
    return BoundaryPolicy{};
  if (text == "host")
    return BoundaryPolicy{Kind::Host};
  constexpr std::string_view prefix = "binomial:";
  if (text.starts_with(prefix)) {
    const std::string_view digits = text.substr(prefix.size());
    std::int64_t slots = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), slots);
    if (error == std::errc() && end == digits.data() + digits.size() && slots >= 1)
      return BoundaryPolicy{Kind::Binomial, slots};
    return invalidInput("boundaries '" + std::string(text) + "': N of binomial:N must be a whole number of at least 1");
  }
  return invalidInput("boundaries '" + std::string(text) + "' is not known; use device, host or binomial:N");
}

std::string BoundaryPolicy::text() const {
  if (kind == Kind::Binomial)
    return "binomial:" + std::to_string(slots);
  return kind == Kind::Host ? "host" : "device";
}

} // namespace adjrt
