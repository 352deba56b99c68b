//===- Machine.cpp - from work to seconds -----------------------------------------------------------------------===//
#include "adjc/Plan/Cost/Machine.h"

namespace adjc {

/// The share of a working set of so many bytes that the last cache still holds when it is read: all of one that fits,
/// nothing of one twice as large.
static double cachedShare(double bytes, double cacheBytes) { return std::clamp(2 - bytes / cacheBytes, 0.0, 1.0); }

double Machine::secondsOf(const Work &work, const ShardSizes &sizes) const {
  auto kind = static_cast<unsigned>(work.kind);
  double bytes = work.read.at(sizes) + work.written.at(sizes);
  double cached = cachedShare(bytes, cacheBytes);
  double seconds = bytes * (cached / cache + (1 - cached) / memory);
  seconds = std::max(seconds, work.moved.at(sizes) / link);
  seconds = std::max(seconds, work.products.at(sizes) / (work.bf16 ? bf16Products : products));
  seconds = std::max(seconds, work.exponentials.at(sizes) / exponentials);
  seconds = std::max(seconds, work.operations.at(sizes) / operations);
  double full = processors * residents[kind];
  double filled = work.groups.empty() ? 1 : std::min(1.0, std::max(1.0, work.groups.at(sizes)) / full);
  return launch + seconds / (efficiency[kind] * filled);
}

} // namespace adjc
