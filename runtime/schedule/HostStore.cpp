#include "adjrt/schedule/Schedule.h"

#include <deque>

namespace adjrt {
namespace {

/// Offload 0, Forward 0, Offload 1, ... Forward M-2; then Prefetch M-2, Gradient M-1, Restore M-2, Prefetch M-3,
/// Gradient M-2, ...
class HostStore final : public Schedule {
public:
  explicit HostStore(std::int64_t shards) : shards(shards), gradient(shards - 1) {}

  Action next() override {
    if (ahead.empty())
      plan();
    const Action action = ahead.front();
    if (action.kind != Action::Kind::End)
      ahead.pop_front();
    return action;
  }

  std::int64_t slots() const override { return shards - 1; }

private:
  /// The actions of one more shard.
  void plan() {
    using Kind = Action::Kind;
    if (forward < shards - 1) {
      ahead.push_back({Kind::Offload, forward, forward});
      ahead.push_back({Kind::Forward, forward++, 0});
      return;
    }
    if (gradient < 0) {
      ahead.push_back({});
      return;
    }
    if (gradient < shards - 1)
      ahead.push_back({Kind::Restore, gradient, gradient});
    if (gradient > 0)
      ahead.push_back({Kind::Prefetch, gradient - 1, gradient - 1});
    ahead.push_back({Kind::Gradient, gradient--, 0});
  }

  std::int64_t shards;
  std::int64_t forward = 0; ///< next shard to run forward
  std::int64_t gradient;    ///< next shard to differentiate
  std::deque<Action> ahead;
};

} // namespace

std::unique_ptr<Schedule> makeHostStore(std::int64_t shards) { return std::make_unique<HostStore>(shards); }

} // namespace adjrt
