//===- IntervalPacking.h - offsets for buffers that live during intervals ------------------------------*- C++ -*-===//
// No MLIR in here.
#ifndef ADJC_PLAN_INTERVALPACKING_H
#define ADJC_PLAN_INTERVALPACKING_H

#include <cstdint>
#include <vector>

namespace adjc {

/// One buffer: its size in bytes and the interval of positions, both ends included, during which it holds something.
struct Interval {
  std::uint64_t size = 0;
  std::int64_t first = 0, last = 0;
};

/// Where every interval's buffer lies, and how many bytes all of them need.
struct Packing {
  std::vector<std::uint64_t> offsets; ///< one per interval, multiples of ADJ_ALIGNMENT
  std::uint64_t bytes = 0;            ///< a multiple of ADJ_ALIGNMENT
};

/// `bytes` rounded up to ADJ_ALIGNMENT, the alignment of everything in an arena.
std::uint64_t alignUp(std::uint64_t bytes);

/// Gives every buffer an offset so that no two that live at the same position overlap: the largest first, each in the
/// lowest gap that holds it. Deterministic. Sizes must add up to less than 2^63.
Packing packIntervals(const std::vector<Interval> &intervals);

} // namespace adjc

#endif
