// The arena's slots must suffice for every schedule, and each action must find the boundary it needs in them.
#include "session/BoundarySlots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

using namespace adjrt;

namespace {

/// Execute a schedule on slots that remember the boundary written to them.
void execute(const BoundaryPolicy &policy, std::int64_t shards) {
  const std::string place = policy.text() + " " + std::to_string(shards);
  auto schedule = makeSchedule(policy, shards);
  const std::int64_t count = arenaSlots(policy, shards);
  BoundarySlots slots(count, schedule->slots());
  std::vector<std::int64_t> contents(static_cast<std::size_t>(count), -1);
  contents[0] = 0;
  std::int64_t finalSlot = -1;
  std::deque<std::int64_t> leaving; // what offloads that nobody awaited read
  const auto await = [&](std::uint64_t behind) {
    while (leaving.size() > behind)
      leaving.pop_front();
  };
  for (Action action = schedule->next(); action.kind != Action::Kind::End; action = schedule->next()) {
    if (action.kind == Action::Kind::Save) {
      slots.save(action);
    } else if (action.kind == Action::Kind::Restore) {
      slots.restore(action);
    } else if (action.kind == Action::Kind::Offload) {
      slots.offload();
      leaving.push_back(slots.current());
    } else if (action.kind == Action::Kind::Prefetch) {
      if (auto behind = slots.mustAwaitAll())
        await(*behind);
      ASSERT_TRUE(leaving.empty()) << place;
      auto slot = slots.prefetch();
      ASSERT_TRUE(slot) << slot.error().message << ": " << place;
      ASSERT_NE(*slot, slots.current()) << place;
      ASSERT_NE(*slot, finalSlot) << place;
      contents[static_cast<std::size_t>(*slot)] = action.index;
      continue;
    } else {
      if (auto behind = slots.mustAwait())
        await(*behind);
      auto output = slots.next();
      ASSERT_TRUE(output) << output.error().message << ": " << place;
      ASSERT_EQ(std::count(leaving.begin(), leaving.end(), *output), 0) << "it is still being read: " << place;
      ASSERT_LE(leaving.size(), 3u) << place;
      ASSERT_NE(*output, slots.current()) << place;
      ASSERT_NE(*output, finalSlot) << place;
      contents[static_cast<std::size_t>(*output)] = action.index + 1;
      if (action.kind == Action::Kind::Gradient) {
        const bool last = action.index == shards - 1;
        ASSERT_EQ(contents[static_cast<std::size_t>(slots.current())], action.index) << place;
        if (last)
          finalSlot = *output;
        slots.finish(action.index, *output, last);
        continue;
      }
      ASSERT_EQ(contents[static_cast<std::size_t>(slots.current())], action.index) << place;
      slots.advance(*output);
    }
    ASSERT_EQ(contents[static_cast<std::size_t>(slots.current())],
              action.index + (action.kind == Action::Kind::Forward || action.kind == Action::Kind::Recompute))
        << place;
  }
  EXPECT_EQ(contents[static_cast<std::size_t>(finalSlot)], shards) << place;
}

TEST(BoundarySlots, SufficeForEverySchedule) {
  for (std::int64_t shards = 1; shards <= 40; ++shards) {
    execute({}, shards);
    execute({BoundaryPolicy::Kind::Host}, shards);
    for (std::int64_t slots = 1; slots <= 42; ++slots)
      execute({BoundaryPolicy::Kind::Binomial, slots}, shards);
  }
  execute({}, 100000);
  execute({BoundaryPolicy::Kind::Host}, 100000);
}

TEST(BoundarySlots, TooFewIsAnError) {
  BoundarySlots slots(2, 1);
  ASSERT_TRUE(slots.next());
  auto none = slots.next();
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("more than the arena's 2 boundary slots"), std::string::npos);
}

} // namespace
