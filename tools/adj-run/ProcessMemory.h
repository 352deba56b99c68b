// The memory of this process, from the kernel.
#ifndef ADJC_TOOLS_ADJRUN_PROCESSMEMORY_H
#define ADJC_TOOLS_ADJRUN_PROCESSMEMORY_H

#include <cstdint>

namespace adjrun {

/// Peak resident set in bytes; 0 where the system does not tell.
std::uint64_t processPeakBytes();

} // namespace adjrun

#endif
