#include "PinnedMemory.h"

namespace adjrt::cuda {

PinnedMemory::~PinnedMemory() {
  const Context::Current current(context);
  (void)context.wait();
  release();
}

void PinnedMemory::release() {
  if (base)
    context.driver().hostFree(base);
  base = nullptr;
  bytes = 0;
}

Status PinnedMemory::reserve(std::uint64_t wanted) {
  if (wanted <= bytes)
    return {};
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(context.wait());
  release();
  void *data = nullptr;
  if (const Status status = api.check(api.hostAllocate(&data, wanted, 0), "cuMemHostAlloc"); !status)
    return tl::unexpected<Error>(
        status.error().in("pinning " + std::to_string(wanted) +
                          " bytes of host memory; use fewer tokens, or compile with another --policy or --boundaries"));
  base = static_cast<std::byte *>(data);
  bytes = wanted;
  return {};
}

} // namespace adjrt::cuda
