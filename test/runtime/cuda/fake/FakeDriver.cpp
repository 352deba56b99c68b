// The fake libcuda.so.1: its state, device, memory and copies. Streams, kernels and graphs have files of their own.
#include "FakeState.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <utility>

using namespace adjrt::test::fake;

adjrt::test::FakeCuda adjrt::test::fake::state;

Result adjrt::test::fake::enter(const char *name, bool waits) {
  ++state.calls[name];
  if (waits && state.laterError)
    state.lost = state.laterError;
  if (state.lost)
    return state.lost;
  if (auto found = state.failures.find(name); found != state.failures.end() && found->second.skip-- == 0)
    return found->second.result;
  return kSuccess;
}

namespace {

char *at(Address address) { return reinterpret_cast<char *>(address); }

void copied(void *destination, const void *source, std::size_t bytes) {
  state.milliseconds += state.transferMilliseconds;
  std::memcpy(destination, source, bytes);
}

std::map<AllocationHandle, std::size_t> allocations;
std::map<Address, std::size_t> plainAllocations;

} // namespace

extern "C" {

adjrt::test::FakeCuda *adjrtFakeCuda() {
  state.work = [](void *stream, auto work) { putWork(static_cast<Stream>(stream), std::move(work)); };
  return &state;
}

Result cuInit(unsigned) {
  ENTER("cuInit");
  return state.gpus ? kSuccess : kNoDevice;
}
Result cuGetErrorName(Result result, const char **name) {
  static const std::map<Result, const char *> names{
      {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"}, {100, "CUDA_ERROR_NO_DEVICE"},
      {218, "CUDA_ERROR_INVALID_PTX"}, {500, "CUDA_ERROR_NOT_FOUND"},   {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
  const auto found = names.find(result);
  *name = found == names.end() ? nullptr : found->second;
  return found == names.end() ? 1 : kSuccess;
}
Result cuGetErrorString(Result result, const char **text) {
  *text = result == 700 ? "an illegal memory access was encountered" : nullptr;
  return *text ? kSuccess : 1;
}
Result cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount");
  *count = state.gpus;
  return kSuccess;
}
Result cuDeviceGet(DeviceHandle *device, int ordinal) {
  ENTER("cuDeviceGet");
  *device = ordinal;
  return kSuccess;
}
Result cuDeviceGetName(char *name, int length, DeviceHandle) {
  ENTER("cuDeviceGetName");
  std::strncpy(name, "Fake GPU", static_cast<std::size_t>(length));
  return kSuccess;
}
Result cuDeviceTotalMem_v2(std::size_t *bytes, DeviceHandle) {
  ENTER("cuDeviceTotalMem");
  *bytes = state.totalBytes;
  return kSuccess;
}
Result cuDeviceGetAttribute(int *value, int attribute, DeviceHandle) {
  ENTER("cuDeviceGetAttribute");
  const std::map<int, int> values{{kMaxThreadsPerBlock, state.maxThreads},
                                  {kMaxPitch, state.maxPitch},
                                  {kCapabilityMajor, state.major},
                                  {kCapabilityMinor, state.minor},
                                  {kMaxSharedPerBlockOptin, state.sharedBytes},
                                  {kVirtualMemorySupported, state.virtualMemory}};
  const auto found = values.find(attribute);
  *value = found == values.end() ? 0 : found->second;
  return found == values.end() ? 1 : kSuccess;
}
Result cuDevicePrimaryCtxRetain(ContextHandle *context, DeviceHandle) {
  ENTER("cuDevicePrimaryCtxRetain");
  ++state.contexts;
  *context = reinterpret_cast<ContextHandle>(&state);
  return kSuccess;
}
Result cuDevicePrimaryCtxRelease_v2(DeviceHandle) {
  --state.contexts;
  return kSuccess;
}
Result cuCtxPushCurrent_v2(ContextHandle) { return kSuccess; }
Result cuCtxPopCurrent_v2(ContextHandle *) { return kSuccess; }
Result cuMemGetInfo_v2(std::size_t *free, std::size_t *total) {
  ENTER("cuMemGetInfo");
  *free = state.totalBytes - state.takenBytes;
  *total = state.totalBytes;
  return kSuccess;
}
Result cuMemAlloc_v2(Address *address, std::size_t bytes) {
  ENTER("cuMemAlloc");
  *address = reinterpret_cast<Address>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  plainAllocations[*address] = bytes;
  state.takenBytes += bytes;
  ++state.allocations;
  return kSuccess;
}
Result cuMemFree_v2(Address address) {
  state.takenBytes -= plainAllocations[address];
  std::free(at(address));
  --state.allocations;
  return kSuccess;
}
Result cuMemHostAlloc(void **buffer, std::size_t bytes, unsigned) {
  ENTER("cuMemHostAlloc");
  *buffer = std::malloc(bytes);
  ++state.hostBuffers;
  return kSuccess;
}
Result cuMemFreeHost(void *buffer) {
  std::free(buffer);
  --state.hostBuffers;
  return kSuccess;
}
Result cuMemAddressReserve(Address *address, std::size_t bytes, std::size_t, Address, unsigned long long) {
  ENTER("cuMemAddressReserve");
  void *place = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED)
    return kOutOfMemory;
  *address = reinterpret_cast<Address>(place);
  ++state.reservations;
  return kSuccess;
}
Result cuMemAddressFree(Address address, std::size_t bytes) {
  munmap(at(address), bytes);
  --state.reservations;
  return kSuccess;
}
Result cuMemCreate(AllocationHandle *handle, std::size_t bytes, const AllocationProperties *properties,
                   unsigned long long) {
  ENTER("cuMemCreate");
  if (properties->type != kAllocationPinned || properties->location.type != kLocationDevice)
    return 1;
  static AllocationHandle next = 0;
  *handle = ++next;
  allocations[*handle] = bytes;
  state.takenBytes += bytes;
  ++state.allocations;
  return kSuccess;
}
Result cuMemRelease(AllocationHandle handle) {
  state.takenBytes -= allocations[handle];
  --state.allocations;
  return kSuccess;
}
Result cuMemGetAllocationGranularity(std::size_t *bytes, const AllocationProperties *, int) {
  ENTER("cuMemGetAllocationGranularity");
  *bytes = std::size_t(2) << 20;
  return kSuccess;
}
Result cuMemMap(Address, std::size_t bytes, std::size_t, AllocationHandle handle, unsigned long long) {
  ENTER("cuMemMap");
  return allocations.at(handle) == bytes ? kSuccess : 1;
}
Result cuMemUnmap(Address address, std::size_t bytes) {
  mprotect(at(address), bytes, PROT_NONE);
  return kSuccess;
}
Result cuMemSetAccess(Address address, std::size_t bytes, const AccessDescription *access, std::size_t) {
  ENTER("cuMemSetAccess");
  if (access->flags != kAccessReadWrite)
    return 1;
  mprotect(at(address), bytes, PROT_READ | PROT_WRITE);
  std::memset(at(address), 0x5a, bytes); // new memory holds anything
  return kSuccess;
}
Result cuMemcpyHtoDAsync_v2(Address destination, const void *source, std::size_t bytes, Stream stream) {
  ENTER("cuMemcpyHtoDAsync");
  putWork(stream, [=] { copied(at(destination), source, bytes); });
  return kSuccess;
}
Result cuMemcpyDtoHAsync_v2(void *destination, Address source, std::size_t bytes, Stream stream) {
  ENTER("cuMemcpyDtoHAsync");
  putWork(stream, [=] { copied(destination, at(source), bytes); });
  return kSuccess;
}
Result cuMemcpyDtoDAsync_v2(Address destination, Address source, std::size_t bytes, Stream stream) {
  ENTER("cuMemcpyDtoDAsync");
  putWork(stream, [=] { std::memcpy(at(destination), at(source), bytes); });
  return kSuccess;
}
Result cuMemcpy2DAsync_v2(const Copy2D *copy, Stream stream) {
  ENTER("cuMemcpy2DAsync");
  const auto known = [](int type) { return type == kMemoryHost || type == kMemoryDevice; };
  if (!known(copy->sourceType) || !known(copy->destinationType) || copy->sourcePitch < copy->width ||
      copy->destinationPitch < copy->width)
    return 1;
  putWork(stream, [copy = *copy] {
    const char *source = copy.sourceType == kMemoryHost ? static_cast<const char *>(copy.sourceHost) : at(copy.source);
    char *destination =
        copy.destinationType == kMemoryHost ? static_cast<char *>(copy.destinationHost) : at(copy.destination);
    for (std::size_t row = 0; row < copy.height; ++row)
      std::memcpy(destination + row * copy.destinationPitch, source + row * copy.sourcePitch, copy.width);
  });
  return kSuccess;
}
Result cuMemsetD8Async(Address address, unsigned char value, std::size_t bytes, Stream stream) {
  ENTER("cuMemsetD8Async");
  putWork(stream, [=] {
    state.milliseconds += 1;
    std::memset(at(address), value, bytes);
  });
  return kSuccess;
}

} // extern "C"

// All of them are there: otherwise the fake does not load.
#define ADDRESS(member, symbol, ...) reinterpret_cast<void (*)()>(&symbol),
[[gnu::used]] static void (*const entryPoints[])() = {ADJRT_DRIVER_FUNCTIONS(ADDRESS)
                                                          ADJRT_DRIVER_OPTIONAL_FUNCTIONS(ADDRESS)};
