#include "adjrt/schedule/Schedule.h"

namespace adjrt {
namespace {

/// Save 0, Forward 0, Save 1, ... Forward M-2; then Gradient M-1, Restore M-2, Gradient M-2, ...
class StoreAll final : public Schedule {
public:
  explicit StoreAll(std::int64_t shards) : shards(shards), gradient(shards - 1) {}

  Action next() override {
    if (current < gradient && sweeping) {
      if (!saved) {
        saved = true;
        return {Action::Kind::Save, current, current};
      }
      saved = false;
      return {Action::Kind::Forward, current++, 0};
    }
    sweeping = false;
    if (gradient < 0)
      return {};
    if (current != gradient) {
      current = gradient;
      return {Action::Kind::Restore, current, current};
    }
    return {Action::Kind::Gradient, gradient--, 0};
  }

  std::int64_t slots() const override { return shards - 1; }

private:
  std::int64_t shards;
  std::int64_t gradient;    ///< next shard to differentiate
  std::int64_t current = 0; ///< the current boundary
  bool saved = false;       ///< whether `current` was saved
  bool sweeping = true;     ///< the forward sweep is not over
};

} // namespace

std::unique_ptr<Schedule> makeStoreAll(std::int64_t shards) { return std::make_unique<StoreAll>(shards); }

} // namespace adjrt
