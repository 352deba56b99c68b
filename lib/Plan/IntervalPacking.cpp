#include "adjc/Plan/IntervalPacking.h"
#include "adjrt/abi.h"

#include <algorithm>
#include <numeric>

namespace adjc {

std::uint64_t alignUp(std::uint64_t bytes) { return (bytes + ADJ_ALIGNMENT - 1) / ADJ_ALIGNMENT * ADJ_ALIGNMENT; }

Packing packIntervals(const std::vector<Interval> &intervals) {
  std::vector<std::size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  // Large buffers first leave gaps that small ones fill; ties keep the program's order, so that equal inputs give equal
  // plans.
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return intervals[a].size > intervals[b].size; });

  struct Range {
    std::uint64_t begin, end;
  };
  Packing packing;
  packing.offsets.assign(intervals.size(), 0);
  std::vector<std::size_t> placed;
  for (std::size_t index : order) {
    const Interval &mine = intervals[index];
    std::vector<Range> taken;
    for (std::size_t other : placed)
      if (intervals[other].first <= mine.last && mine.first <= intervals[other].last)
        taken.push_back({packing.offsets[other], packing.offsets[other] + alignUp(intervals[other].size)});
    std::sort(taken.begin(), taken.end(), [](const Range &a, const Range &b) { return a.begin < b.begin; });
    std::uint64_t offset = 0;
    for (const Range &range : taken) {
      if (range.begin >= offset + alignUp(mine.size))
        break;
      offset = std::max(offset, range.end);
    }
    packing.offsets[index] = offset;
    packing.bytes = std::max(packing.bytes, offset + alignUp(mine.size));
    placed.push_back(index);
  }
  return packing;
}

} // namespace adjc
