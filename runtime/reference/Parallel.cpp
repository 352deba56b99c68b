#include "Parallel.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace adjrt::reference {

void parallelFor(unsigned threads, std::int64_t count, double work,
                 const std::function<void(std::int64_t, std::int64_t)> &body) {
  // Starting a thread costs some 20 us, which is about this many multiply-adds.
  constexpr double kWorkPerThread = 1e5;
  auto pieces = std::min<std::int64_t>(
      {static_cast<std::int64_t>(threads), count, static_cast<std::int64_t>(std::min(work / kWorkPerThread, 1e6))});
  if (pieces <= 1) {
    if (count > 0)
      body(0, count);
    return;
  }
  std::vector<std::jthread> workers;
  workers.reserve(pieces - 1);
  for (std::int64_t i = 1; i < pieces; ++i)
    workers.emplace_back([&body, i, pieces, count] { body(count * i / pieces, count * (i + 1) / pieces); });
  body(0, count / pieces);
}

} // namespace adjrt::reference
