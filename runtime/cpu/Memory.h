// The memory of this process, as the kernel counts it.
#ifndef ADJRT_CPU_MEMORY_H
#define ADJRT_CPU_MEMORY_H

#include "adjrt/device/Device.h"

namespace adjrt::cpu {

/// Resident set now and at its peak, in bytes (VmRSS and VmHWM; getrusage where the kernel does not tell VmHWM).
DeviceMemory processMemory();

/// Memory that the machine could still give, in bytes (MemAvailable); the largest value where the kernel does not tell.
std::uint64_t availableMemory();

} // namespace adjrt::cpu

#endif
