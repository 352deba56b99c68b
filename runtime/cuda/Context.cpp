#include "Context.h"

namespace adjrt::cuda {

Expected<std::unique_ptr<Context>> Context::open(std::shared_ptr<const Driver> driver, int ordinal) {
  std::unique_ptr<Context> context(new Context(std::move(driver)));
  const Driver &api = *context->api;
  int count = 0;
  ADJ_RETURN_IF_ERROR(api.check(api.deviceCount(&count), "cuDeviceGetCount"));
  if (ordinal >= count)
    return invalidInput("there is no cuda:" + std::to_string(ordinal) + ": this machine has " + std::to_string(count) +
                        (count == 1 ? " GPU" : " GPUs") + ", counted from cuda:0");
  context->index = ordinal;
  ADJ_RETURN_IF_ERROR(api.check(api.deviceGet(&context->device, ordinal), "cuDeviceGet"));
  ADJ_RETURN_IF_ERROR(context->readProperties());
  ADJ_RETURN_IF_ERROR(api.check(api.contextRetain(&context->handle, context->device), "cuDevicePrimaryCtxRetain"));
  const Current current(*context);
  ADJ_RETURN_IF_ERROR(api.check(api.streamCreate(&context->computeStream, kStreamNonBlocking), "cuStreamCreate"));
  return context;
}

Status Context::readProperties() {
  char name[256] = {};
  ADJ_RETURN_IF_ERROR(api->check(api->deviceName(name, sizeof name - 1, device), "cuDeviceGetName"));
  gpu.name = name;
  std::size_t bytes = 0;
  ADJ_RETURN_IF_ERROR(api->check(api->deviceBytes(&bytes, device), "cuDeviceTotalMem"));
  gpu.totalBytes = bytes;
  int threads = 0, shared = 0, pitch = 0, virtualMemory = 0;
  for (const auto &[attribute, value] : {std::pair(kCapabilityMajor, &gpu.major),
                                         {kCapabilityMinor, &gpu.minor},
                                         {kMaxThreadsPerBlock, &threads},
                                         {kMaxSharedPerBlockOptin, &shared},
                                         {kMaxPitch, &pitch},
                                         {kVirtualMemorySupported, &virtualMemory}})
    ADJ_RETURN_IF_ERROR(api->check(api->deviceAttribute(value, attribute, device), "cuDeviceGetAttribute"));
  gpu.maxThreads = static_cast<std::uint32_t>(threads);
  gpu.maxSharedBytes = static_cast<std::uint32_t>(shared);
  gpu.maxPitch = static_cast<std::uint64_t>(pitch);
  if (!virtualMemory)
    return invalidInput("cuda:" + std::to_string(index) + " (" + gpu.name +
                        ") has no virtual memory management, which the arena needs; choose another --device");
  return {};
}

Context::~Context() {
  if (!handle)
    return;
  if (computeStream) {
    const Current current(*this);
    api->streamWait(computeStream);
    api->streamDestroy(computeStream);
  }
  api->contextRelease(device);
}

} // namespace adjrt::cuda
