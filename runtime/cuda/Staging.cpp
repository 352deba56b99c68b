#include "Staging.h"

#include <algorithm>
#include <cstring>

namespace adjrt::cuda {

Expected<std::unique_ptr<Staging>> Staging::make(const Context &context) {
  std::unique_ptr<Staging> staging(new Staging(context));
  const Driver &api = context.driver();
  for (Buffer &buffer : staging->buffers) {
    void *data = nullptr;
    ADJ_RETURN_IF_ERROR(api.check(api.hostAllocate(&data, kBytes, 0), "cuMemHostAlloc"));
    buffer.data = static_cast<std::byte *>(data);
    ADJ_RETURN_IF_ERROR(api.check(api.eventCreate(&buffer.done, kEventNoTiming), "cuEventCreate"));
  }
  return staging;
}

Staging::~Staging() {
  const Driver &api = context.driver();
  const Context::Current current(context);
  (void)context.wait();
  for (Buffer &buffer : buffers) {
    if (buffer.done)
      api.eventDestroy(buffer.done);
    if (buffer.data)
      api.hostFree(buffer.data);
  }
}

Status Staging::upload(Address destination, std::span<const std::byte> source) {
  const Driver &api = context.driver();
  while (!source.empty()) {
    Buffer &buffer = next();
    const std::size_t count = std::min(source.size(), kBytes);
    ADJ_RETURN_IF_ERROR(api.check(api.eventWait(buffer.done), "cuEventSynchronize"));
    std::memcpy(buffer.data, source.data(), count);
    ADJ_RETURN_IF_ERROR(
        api.check(api.copyToDevice(destination, buffer.data, count, context.stream()), "cuMemcpyHtoDAsync"));
    ADJ_RETURN_IF_ERROR(api.check(api.eventRecord(buffer.done, context.stream()), "cuEventRecord"));
    destination += count;
    source = source.subspan(count);
  }
  return {};
}

Status Staging::download(Address source, std::span<std::byte> destination) {
  const Driver &api = context.driver();
  // While one buffer is emptied, the GPU fills the next.
  std::span<std::byte> filling; // where the copy under way belongs
  while (!destination.empty() || !filling.empty()) {
    Buffer &full = buffers[turn];
    const std::span<std::byte> place = filling;
    filling = {};
    if (!destination.empty()) {
      Buffer &buffer = next();
      const std::size_t count = std::min(destination.size(), kBytes);
      ADJ_RETURN_IF_ERROR(api.check(api.copyToHost(buffer.data, source, count, context.stream()), "cuMemcpyDtoHAsync"));
      ADJ_RETURN_IF_ERROR(api.check(api.eventRecord(buffer.done, context.stream()), "cuEventRecord"));
      filling = destination.first(count);
      source += count;
      destination = destination.subspan(count);
    }
    if (!place.empty()) {
      ADJ_RETURN_IF_ERROR(api.check(api.eventWait(full.done), "cuEventSynchronize"));
      std::memcpy(place.data(), full.data, place.size());
    }
  }
  return {};
}

} // namespace adjrt::cuda
