#include "CudaArena.h"

namespace adjrt::cuda {
namespace {

AllocationProperties properties(const Context &context) {
  AllocationProperties result;
  result.type = kAllocationPinned;
  result.location = {kLocationDevice, context.ordinal()};
  return result;
}

std::uint64_t roundUp(std::uint64_t value, std::uint64_t multiple) {
  return value / multiple * multiple + (value % multiple ? multiple : 0);
}

} // namespace

CudaArena::~CudaArena() {
  const Driver &api = context.driver();
  const Context::Current current(context);
  (void)context.wait();
  for (const Part &part : parts) {
    api.unmap(base + part.offset, part.bytes);
    api.allocationRelease(part.handle);
  }
  if (base)
    api.addressFree(base, reserved);
}

Status CudaArena::reserve(std::uint64_t wanted) {
  const Driver &api = context.driver();
  const std::uint64_t total = context.properties().totalBytes;
  std::size_t free = 0, all = 0;
  ADJ_RETURN_IF_ERROR(api.check(api.memoryInfo(&free, &all), "cuMemGetInfo"));
  const auto tooMuch = [&] {
    return failed("the arena needs " + std::to_string(wanted) + " bytes, but only " + std::to_string(free + bytes) +
                  " are available on cuda:" + std::to_string(context.ordinal()) + " (" + context.properties().name +
                  "); use fewer tokens, or compile with a smaller --shard, --batch or --boundaries=binomial:N");
  };
  if (wanted > total)
    return tooMuch();
  if (!base) {
    const AllocationProperties place = properties(context);
    std::size_t step = 0;
    ADJ_RETURN_IF_ERROR(
        api.check(api.allocationGranularity(&step, &place, kGranularityMinimum), "cuMemGetAllocationGranularity"));
    granularity = step;
    reserved = roundUp(total, granularity);
    ADJ_RETURN_IF_ERROR(api.check(api.addressReserve(&base, reserved, 0, 0, 0), "cuMemAddressReserve"));
  }
  const std::uint64_t rounded = roundUp(wanted, granularity);
  if (rounded <= bytes)
    return {};
  if (rounded - bytes > free)
    return tooMuch();
  return back(rounded - bytes);
}

Status CudaArena::back(std::uint64_t more) {
  const Driver &api = context.driver();
  const AllocationProperties place = properties(context);
  const AccessDescription access{place.location, kAccessReadWrite};
  AllocationHandle handle = 0;
  ADJ_RETURN_IF_ERROR(api.check(api.allocationCreate(&handle, more, &place, 0), "cuMemCreate"));
  Status status = api.check(api.map(base + bytes, more, 0, handle, 0), "cuMemMap");
  if (status) {
    status = api.check(api.setAccess(base + bytes, more, &access, 1), "cuMemSetAccess");
    if (!status)
      api.unmap(base + bytes, more);
  }
  if (!status) {
    api.allocationRelease(handle);
    return status;
  }
  parts.push_back({handle, bytes, more});
  ADJ_RETURN_IF_ERROR(api.check(api.fill(base + bytes, 0, more, context.stream()), "cuMemsetD8Async"));
  bytes += more;
  return {};
}

} // namespace adjrt::cuda
