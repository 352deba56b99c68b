#include "adjrt/schedule/Schedule.h"
#include "adjrt/schedule/ArenaLayout.h"
#include "adjrt/schedule/Simulator.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <tuple>

using namespace adjrt;
using Kind = Action::Kind;

namespace {

/// The least number of forward runs over *all* sequences of actions, by 0-1 breadth-first search over (held set,
/// current boundary, gradients left): no assumption about the structure of good schedules. For few shards only.
std::int64_t exhaustiveForwardCount(int shards, int slots) {
  using State = std::tuple<unsigned, int, int>; // boundaries held (bit set), current, next gradient
  std::map<State, int> best;
  std::deque<std::pair<State, int>> queue{{{0u, 0, shards - 1}, 0}};
  while (!queue.empty()) {
    const auto [state, cost] = queue.front();
    queue.pop_front();
    if (auto found = best.find(state); found != best.end() && found->second <= cost)
      continue;
    best[state] = cost;
    const auto [held, current, gradient] = state;
    if (gradient < 0)
      return cost;
    for (int boundary = 0; boundary < shards; ++boundary) {
      if (held >> boundary & 1u) {
        queue.push_front({{held, boundary, gradient}, cost});                    // restore
        queue.push_front({{held & ~(1u << boundary), current, gradient}, cost}); // forget
      }
    }
    if (current < 0)
      continue;
    if (__builtin_popcount(held) < slots)
      queue.push_front({{held | 1u << current, current, gradient}, cost});
    if (current == gradient)
      queue.push_front({{held, -1, gradient - 1}, cost});
    else if (current < gradient)
      queue.push_back({{held, current + 1, gradient}, cost + 1});
  }
  return -1;
}

TEST(Schedule, StoreAllIsValidAndRunsEachShardOnce) {
  for (std::int64_t shards : {1, 2, 3, 17, 1000}) {
    auto schedule = makeStoreAll(shards);
    auto cost = StorageSimulator::run(*schedule, shards, schedule->slots());
    ASSERT_TRUE(cost) << cost.error().message;
    EXPECT_EQ(cost->forwards, shards - 1);
    EXPECT_EQ(cost->recomputes, 0);
    EXPECT_EQ(cost->peakSlots, shards - 1);
    EXPECT_EQ(schedule->next().kind, Kind::End);
  }
}

/// Every boundary but the last goes to the host and comes back before it is needed.
TEST(Schedule, HostStoreIsValidAndRunsEachShardOnce) {
  std::mt19937 random(11);
  std::vector<std::int64_t> sizes{1, 2, 3, 4};
  for (int round = 0; round < 30; ++round)
    sizes.push_back(std::uniform_int_distribution<std::int64_t>(5, 3000)(random));
  for (std::int64_t shards : sizes) {
    auto schedule = makeHostStore(shards);
    EXPECT_EQ(schedule->slots(), hostSlots({BoundaryPolicy::Kind::Host}, shards));
    auto cost = StorageSimulator::run(*schedule, shards, schedule->slots());
    ASSERT_TRUE(cost) << cost.error().message;
    EXPECT_EQ(cost->forwards, shards - 1);
    EXPECT_EQ(cost->recomputes + cost->saves, 0);
    EXPECT_EQ(cost->offloads, shards - 1);
    EXPECT_EQ(cost->prefetches, shards - 1);
    EXPECT_EQ(cost->restores, shards - 1);
    EXPECT_EQ(schedule->next().kind, Kind::End);
  }
}

TEST(Schedule, OneShardIsOnlyAGradient) {
  for (auto &schedule : {makeStoreAll(1), makeBinomial(1, 4), makeHostStore(1)}) {
    EXPECT_EQ(schedule->next(), (Action{Kind::Gradient, 0, 0}));
    EXPECT_EQ(schedule->next(), (Action{Kind::End, 0, 0}));
  }
}

TEST(Schedule, BinomialIsValidAndOptimalForAllSmallSizes) {
  for (std::int64_t shards = 1; shards <= 60; ++shards) {
    for (std::int64_t slots = 1; slots <= 12; ++slots) {
      auto schedule = makeBinomial(shards, slots);
      auto cost = StorageSimulator::run(*schedule, shards, slots);
      ASSERT_TRUE(cost) << cost.error().message << " for " << shards << " shards, " << slots << " slots";
      EXPECT_LE(cost->peakSlots, slots);
      EXPECT_EQ(cost->forwards + cost->recomputes, optimalForwardCount(shards, slots)) << shards << " " << slots;
      EXPECT_EQ(cost->forwards + cost->recomputes, binomialForwardCount(shards, slots)) << shards << " " << slots;
    }
  }
}

TEST(Schedule, DynamicProgramEqualsExhaustiveSearch) {
  for (int shards = 1; shards <= 8; ++shards)
    for (int slots = 1; slots <= 4; ++slots)
      EXPECT_EQ(optimalForwardCount(shards, slots), exhaustiveForwardCount(shards, slots)) << shards << " " << slots;
}

TEST(Schedule, BinomialIsValidAndOptimalForRandomSizes) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    const std::int64_t shards = std::uniform_int_distribution<>(61, 400)(random);
    const std::int64_t slots = std::uniform_int_distribution<>(2, 20)(random);
    auto schedule = makeBinomial(shards, slots);
    auto cost = StorageSimulator::run(*schedule, shards, slots);
    ASSERT_TRUE(cost) << cost.error().message;
    EXPECT_EQ(cost->forwards + cost->recomputes, optimalForwardCount(shards, slots)) << shards << " " << slots;
  }
}

TEST(Schedule, BinomialOfManyShardsIsValid) {
  const std::int64_t shards = 100000, slots = 30;
  auto schedule = makeBinomial(shards, slots);
  auto cost = StorageSimulator::run(*schedule, shards, slots);
  ASSERT_TRUE(cost) << cost.error().message;
  EXPECT_EQ(cost->forwards + cost->recomputes, binomialForwardCount(shards, slots));
}

TEST(Schedule, BinomialWithEnoughSlotsRunsEachShardOnce) {
  auto schedule = makeBinomial(9, 8);
  auto cost = StorageSimulator::run(*schedule, 9, 8);
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->recomputes, 0);
}

TEST(Schedule, PolicyParsesAndPrints) {
  for (const char *text : {"device", "host", "binomial:1", "binomial:64"}) {
    auto policy = BoundaryPolicy::parse(text);
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->text(), text);
  }
  for (const char *text : {"", "devices", "binomial", "binomial:", "binomial:0", "binomial:-1", "binomial:3x", "hosts",
                           "host:2", "binomial:99999999999999999999"}) {
    auto policy = BoundaryPolicy::parse(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().kind, ErrorKind::InvalidInput);
    EXPECT_NE(policy.error().message.find(std::string("'") + text + "'"), std::string::npos);
  }
}

TEST(Schedule, ArenaSlots) {
  EXPECT_EQ(arenaSlots({}, 1), 2);
  EXPECT_EQ(arenaSlots({}, 10), 11);
  EXPECT_EQ(arenaSlots({BoundaryPolicy::Kind::Binomial, 4}, 10), 7);
  EXPECT_EQ(arenaSlots({BoundaryPolicy::Kind::Binomial, 9}, 10), 11);
  EXPECT_EQ(arenaSlots({BoundaryPolicy::Kind::Binomial, 4}, 1), 2);
  for (const auto &[shards, slots] : {std::pair(1, 2), {2, 3}, {3, 4}, {4, 4}, {1000, 4}}) {
    EXPECT_EQ(arenaSlots({BoundaryPolicy::Kind::Host}, shards), slots) << shards;
    EXPECT_EQ(hostSlots({BoundaryPolicy::Kind::Host}, shards), shards - 1);
    EXPECT_EQ(hostSlots({}, shards) + hostSlots({BoundaryPolicy::Kind::Binomial, 4}, shards), 0);
  }
}

/// Apply actions, expecting the last one to be refused with a message containing `text`.
void refuses(std::int64_t shards, std::int64_t slots, std::initializer_list<Action> actions, const char *text) {
  StorageSimulator simulator(shards, slots);
  std::size_t place = 0;
  for (const Action &action : actions) {
    Status status = simulator.apply(action);
    if (++place < actions.size()) {
      ASSERT_TRUE(status) << status.error().message;
      continue;
    }
    ASSERT_FALSE(status) << "expected: " << text;
    EXPECT_NE(status.error().message.find(text), std::string::npos) << status.error().message;
  }
}

TEST(StorageSimulator, RefusesInvalidSchedules) {
  refuses(3, 2, {{Kind::Gradient, 2, 0}}, "boundary 2 is needed, but 0");
  refuses(3, 2, {{Kind::Gradient, 0, 0}}, "where 2 is due");
  refuses(3, 2, {{Kind::Save, 0, 2}}, "slot 2 is not one of 2");
  refuses(3, 2, {{Kind::Save, 1, 0}}, "boundary 1 is needed");
  refuses(3, 2, {{Kind::Restore, 0, 0}}, "does not hold boundary 0");
  refuses(3, 2, {{Kind::Recompute, 0, 0}}, "shard 0 is run as if");
  refuses(3, 2, {{Kind::Save, 0, 0}, {Kind::Forward, 0, 0}, {Kind::Restore, 0, 0}, {Kind::Forward, 0, 0}},
          "shard 0 is run as if");
  refuses(1, 1, {{Kind::Forward, 0, 0}}, "has no boundary after it");
  refuses(1, 1, {{Kind::End, 0, 0}}, "still due");
  refuses(1, 1, {{Kind::Gradient, 0, 0}, {Kind::Gradient, 0, 0}}, "but none");
  refuses(1, 1, {{Kind::Gradient, 0, 0}, {Kind::End, 0, 0}, {Kind::End, 0, 0}}, "after End");
  refuses(3, 2, {{Kind::Offload, 0, 2}}, "slot 2 is not one of 2");
  refuses(3, 2, {{Kind::Offload, 1, 0}}, "boundary 1 is needed");
  refuses(3, 2, {{Kind::Prefetch, 0, 0}}, "does not hold boundary 0");
  refuses(3, 2, {{Kind::Save, 0, 0}, {Kind::Prefetch, 0, 0}}, "boundary 0 is not on the host");
  refuses(3, 2, {{Kind::Offload, 0, 0}, {Kind::Restore, 0, 0}}, "boundary 0 is on the host and was not prefetched");
  refuses(3, 2, {{Kind::Offload, 0, 0}, {Kind::Prefetch, 0, 0}, {Kind::Prefetch, 0, 0}},
          "boundary 0 was prefetched and not restored");
  refuses(3, 2, {{Kind::Offload, 0, 0}, {Kind::Prefetch, 0, 0}, {Kind::Restore, 0, 0}, {Kind::Restore, 0, 0}},
          "boundary 0 is on the host and was not prefetched");
}

TEST(ArenaLayout, PlacesRegionsInOrder) {
  auto layout = ArenaLayout::make(100, 0, 1000, 65, true, 3);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->gradients, 128u);
  EXPECT_EQ(layout->firstMoment, 256u);
  EXPECT_EQ(layout->secondMoment, 384u);
  EXPECT_EQ(layout->fixed, 512u);
  EXPECT_EQ(layout->cotangentSlot(0), 512u + 1024);
  EXPECT_EQ(layout->boundarySlot(0), 512u + 1024 + 2 * 128);
  EXPECT_EQ(layout->total, 512u + 1024 + 5 * 128);
  EXPECT_EQ(ArenaLayout::make(100, 0, 1000, 65, false, 3)->fixed, 256u);
}

TEST(HostLayout, BoundariesFollowTheProgramsPart) {
  auto layout = HostLayout::make(100, 65, 3);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->boundarySlot(0), 128u);
  EXPECT_EQ(layout->boundarySlot(2), 128u + 2 * 128);
  EXPECT_EQ(layout->total, 128u + 3 * 128);
  EXPECT_EQ(HostLayout::make(0, 65, 0)->total, 0u);
  auto huge = HostLayout::make(1, 1ull << 40, 1ll << 40);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(huge.error().message.find("1099511627776 boundaries of"), std::string::npos);
}

TEST(ArenaLayout, RefusesSizesThatOverflow) {
  const std::uint64_t huge = ~std::uint64_t(0);
  EXPECT_FALSE(ArenaLayout::make(huge, 0, 0, 0, false, 1));
  EXPECT_FALSE(ArenaLayout::make(huge / 3, 0, 0, 0, true, 1));
  auto layout = ArenaLayout::make(0, 0, 0, 1ull << 40, false, 1ll << 40);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(layout.error().message.find("boundary slots"), std::string::npos);
}

} // namespace
