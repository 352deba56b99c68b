#include "Arena.h"
#include "Memory.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace adjrt::cpu {
namespace {

/// Make pages resident now: a run must not be what finds out that there is no memory, and the peak must be known before
/// it.
void populate(std::byte *begin, std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t whole = (bytes + page - 1) / page * page;
#ifdef MADV_POPULATE_WRITE
  if (madvise(begin, whole, MADV_POPULATE_WRITE) == 0)
    return;
#endif
  for (std::uint64_t offset = 0; offset < bytes; offset += page) {
    volatile std::byte *place = begin + offset;
    *place = *place;
  }
}

} // namespace

Arena::~Arena() {
  if (base)
    munmap(base, bytes);
}

Status Arena::reserve(std::uint64_t wanted) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  wanted = (wanted + page - 1) / page * page;
  if (wanted <= bytes)
    return {};
  const std::uint64_t more = wanted - bytes, available = availableMemory();
  if (more > available)
    return failed(
        std::string(what) + " needs " + std::to_string(wanted) + " bytes, but only " +
        std::to_string(available + bytes) +
        " are available; use fewer tokens, or compile with a smaller --shard, --batch or --boundaries=binomial:N");
  void *place = base ? mremap(base, bytes, wanted, MREMAP_MAYMOVE)
                     : mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED)
    return failed("cannot map the " + std::to_string(wanted) + " bytes of " + what + ": " + std::strerror(errno));
  base = static_cast<std::byte *>(place);
#ifdef MADV_HUGEPAGE
  // Fewer TLB misses in products; a refusal costs only speed.
  (void)madvise(base, wanted, MADV_HUGEPAGE);
#endif
  // From the page on that `bytes` ends in: all of the new part.
  populate(base + bytes, more);
  bytes = wanted;
  return {};
}

} // namespace adjrt::cpu
