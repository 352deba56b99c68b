// No two buffers that live at the same time may share a byte, whatever their sizes and lifetimes.
#include "adjc/Plan/IntervalPacking.h"

#include <gtest/gtest.h>
#include <random>

using namespace adjc;

namespace {

void expectDisjoint(const std::vector<Interval> &intervals, const Packing &packing) {
  ASSERT_EQ(packing.offsets.size(), intervals.size());
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    EXPECT_EQ(packing.offsets[i] % 64, 0u);
    EXPECT_LE(packing.offsets[i] + intervals[i].size, packing.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      bool together = intervals[i].first <= intervals[j].last && intervals[j].first <= intervals[i].last;
      bool overlap = packing.offsets[i] < packing.offsets[j] + intervals[j].size &&
                     packing.offsets[j] < packing.offsets[i] + intervals[i].size;
      EXPECT_FALSE(together && overlap) << "buffers " << j << " and " << i;
    }
  }
}

std::uint64_t mostAliveBytes(const std::vector<Interval> &intervals) {
  std::uint64_t most = 0;
  for (const Interval &at : intervals) {
    std::uint64_t alive = 0;
    for (const Interval &other : intervals)
      if (other.first <= at.first && at.first <= other.last)
        alive += alignUp(other.size);
    most = std::max(most, alive);
  }
  return most;
}

TEST(IntervalPacking, RandomBuffersNeverOverlap) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<Interval> intervals(1 + random() % 60);
    for (Interval &interval : intervals) {
      interval.size = random() % 5 == 0 ? random() % (1u << 20) : random() % 500;
      interval.first = static_cast<std::int64_t>(random() % 40);
      interval.last = interval.first + static_cast<std::int64_t>(random() % 12);
    }
    Packing packing = packIntervals(intervals);
    expectDisjoint(intervals, packing);
    EXPECT_GE(packing.bytes, mostAliveBytes(intervals));
  }
}

TEST(IntervalPacking, BuffersThatFollowEachOtherShareTheirBytes) {
  Packing packing = packIntervals({{1000, 0, 3}, {1000, 4, 6}, {1000, 7, 9}});
  EXPECT_EQ(packing.bytes, 1024u);
}

TEST(IntervalPacking, EndsAreInclusive) {
  Packing packing = packIntervals({{64, 0, 3}, {64, 3, 6}});
  EXPECT_EQ(packing.bytes, 128u);
}

TEST(IntervalPacking, SmallBuffersFillGaps) {
  // The large ones lie at 0 and 1024; the small one fits beside the second where the first is dead.
  Packing packing = packIntervals({{1024, 0, 1}, {2048, 1, 2}, {512, 2, 2}});
  EXPECT_EQ(packing.bytes, 3072u);
  expectDisjoint({{1024, 0, 1}, {2048, 1, 2}, {512, 2, 2}}, packing);
}

TEST(IntervalPacking, NothingNeedsNothing) { EXPECT_EQ(packIntervals({}).bytes, 0u); }

} // namespace
