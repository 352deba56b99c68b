// Parallel.h - fork and join over independent indices.
#ifndef ADJRT_REFERENCE_PARALLEL_H
#define ADJRT_REFERENCE_PARALLEL_H

#include <cstdint>
#include <functional>

namespace adjrt::reference {

/// Calls body(first, last) on consecutive pieces of [0, count), on up to `threads` threads. `work` is an estimate of
/// the whole in multiply-adds: small work stays on the calling thread. The caller makes sure that what an index writes
/// does not depend on how the range is cut.
void parallelFor(unsigned threads, std::int64_t count, double work,
                 const std::function<void(std::int64_t first, std::int64_t last)> &body);

} // namespace adjrt::reference

#endif
