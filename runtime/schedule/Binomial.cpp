// A. Griewank and A. Walther, "Algorithm 799: revolve", ACM TOMS 26 (2000). With s stored boundaries (the segment's
// first one counted) and every shard run forward at most r times, beta(s, r) = (s + r choose s) shards can be
// differentiated, and l shards, beta(s, r-1) < l <= beta(s, r), need r l - beta(s+1, r-1) forward runs.
#include "adjrt/schedule/Schedule.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace adjrt {
namespace {

constexpr std::int64_t kLarge = std::numeric_limits<std::int64_t>::max();

/// Binomial coefficient (s + r choose s), or kLarge when it does not fit; 0 for r < 0.
std::int64_t beta(std::int64_t s, std::int64_t r) {
  if (r < 0)
    return 0;
  std::int64_t value = 1;
  const std::int64_t few = std::min(s, r), many = std::max(s, r);
  for (std::int64_t i = 1; i <= few; ++i) {
    const __int128 next = static_cast<__int128>(value) * (many + i) / i;
    if (next >= kLarge)
      return kLarge;
    value = static_cast<std::int64_t>(next);
  }
  return value;
}

/// The least r with length <= beta(slots, r).
std::int64_t repetitions(std::int64_t length, std::int64_t slots) {
  if (slots == 1)
    return length - 1;
  std::int64_t r = 0;
  while (beta(slots, r) < length)
    ++r;
  return r;
}

/// How many shards to run forward before the next boundary is stored: any number that leaves both parts within their
/// share of repetitions is optimal; the least one keeps the stored boundary near.
std::int64_t splitLength(std::int64_t length, std::int64_t slots) {
  if (slots == 1)
    return length - 1;
  const std::int64_t r = repetitions(length, slots);
  return std::max({std::int64_t(1), beta(slots, r - 2), length - beta(slots - 1, r)});
}

class Binomial final : public Schedule {
public:
  Binomial(std::int64_t shards, std::int64_t slotCount) : slotCount(std::min(slotCount, shards)), end(shards) {
    saveNext = shards > 1;
  }

  Action next() override {
    while (true) {
      if (restoreNext) {
        restoreNext = false;
        current = target = stored.back();
        return {Action::Kind::Restore, current, depth() - 1};
      }
      if (current < target) {
        const bool first = current == furthest;
        furthest = std::max(furthest, current + 1);
        return {first ? Action::Kind::Forward : Action::Kind::Recompute, current++, 0};
      }
      if (saveNext) {
        saveNext = false;
        stored.push_back(current);
        return {Action::Kind::Save, current, depth() - 1};
      }
      if (end == 0)
        return {};
      if (current == end - 1) {
        --end;
        while (!stored.empty() && stored.back() == end)
          stored.pop_back();
        restoreNext = end > 0;
        return {Action::Kind::Gradient, end, 0};
      }
      // `current` is stored.back(): the segment [current, end) has the slots not yet used, and this one.
      target = current + splitLength(end - current, slotCount - depth() + 1);
      saveNext = end - target > 1;
    }
  }

  std::int64_t slots() const override { return slotCount; }

private:
  std::int64_t depth() const { return static_cast<std::int64_t>(stored.size()); }

  std::int64_t slotCount;
  std::int64_t end;          ///< shards not yet differentiated
  std::int64_t current = 0;  ///< the current boundary
  std::int64_t target = 0;   ///< boundary to advance to
  std::int64_t furthest = 0; ///< shards below this ran forward
  bool saveNext = false, restoreNext = false;
  std::vector<std::int64_t> stored; ///< boundary in each slot, ascending
};

} // namespace

std::unique_ptr<Schedule> makeBinomial(std::int64_t shards, std::int64_t slots) {
  return std::make_unique<Binomial>(shards, slots);
}

std::int64_t binomialForwardCount(std::int64_t shards, std::int64_t slots) {
  const std::int64_t r = repetitions(shards, slots);
  return r * shards - beta(slots + 1, r - 1);
}

} // namespace adjrt
