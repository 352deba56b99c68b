// The AdamW step on the CPU.
#ifndef ADJRT_CPU_ADAMW_H
#define ADJRT_CPU_ADAMW_H

#include "ThreadPool.h"
#include "adjrt/device/Device.h"

namespace adjrt::cpu {

/// `step`'s offsets are relative to `arena`. Every value is computed by itself: no bit depends on the threads.
void adamw(ThreadPool &pool, std::byte *arena, const AdamWStep &step);

} // namespace adjrt::cpu

#endif
