// The part of the CUDA driver's interface that the runtime uses, declared by ourselves: building needs no CUDA header.
// test/runtime/cuda/HeadersTest.cpp holds every declaration and constant against the real header.
#ifndef ADJRT_CUDA_DRIVERAPI_H
#define ADJRT_CUDA_DRIVERAPI_H

#include <cstddef>
#include <cstdint>

namespace adjrt::cuda {

using Result = int;                               // CUresult
using DeviceHandle = int;                         // CUdevice
using Address = std::uint64_t;                    // CUdeviceptr
using AllocationHandle = std::uint64_t;           // CUmemGenericAllocationHandle
using ContextHandle = struct ContextOpaque *;     // CUcontext
using ModuleHandle = struct ModuleOpaque *;       // CUmodule
using FunctionHandle = struct FunctionOpaque *;   // CUfunction
using Stream = struct StreamOpaque *;             // CUstream
using Event = struct EventOpaque *;               // CUevent
using GraphHandle = struct GraphOpaque *;         // CUgraph
using GraphNode = struct GraphNodeOpaque *;       // CUgraphNode
using GraphExecHandle = struct GraphExecOpaque *; // CUgraphExec

inline constexpr Result kSuccess = 0, kOutOfMemory = 2, kNoDevice = 100;
inline constexpr int kMaxThreadsPerBlock = 1, kMaxPitch = 11, kCapabilityMajor = 75, kCapabilityMinor = 76,
                     kMaxSharedPerBlockOptin = 97, kVirtualMemorySupported = 102; // CUdevice_attribute
inline constexpr int kFunctionMaxThreads = 0, kFunctionSharedBytes = 1,
                     kFunctionMaxDynamicShared = 8;           // CUfunction_attribute
inline constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6; // CUjit_option
inline constexpr int kAllocationPinned = 1, kLocationDevice = 1, kAccessReadWrite = 3, kGranularityMinimum = 0;
inline constexpr int kMemoryHost = 1, kMemoryDevice = 2; // CUmemorytype
inline constexpr int kCaptureRelaxed = 2;                // CUstreamCaptureMode
inline constexpr unsigned kStreamNonBlocking = 1, kEventDefault = 0, kEventNoTiming = 2;

/// CUmemLocation
struct MemoryLocation {
  int type = 0, id = 0;
};
/// CUmemAllocationProp
struct AllocationProperties {
  int type = 0, handleTypes = 0;
  MemoryLocation location;
  void *windows = nullptr;
  unsigned char flags[8] = {};
};
/// CUmemAccessDesc
struct AccessDescription {
  MemoryLocation location;
  int flags = 0;
};
/// CUDA_MEMCPY2D
struct Copy2D {
  std::size_t sourceX = 0, sourceY = 0;
  int sourceType = 0;
  const void *sourceHost = nullptr;
  Address source = 0;
  void *sourceArray = nullptr;
  std::size_t sourcePitch = 0;
  std::size_t destinationX = 0, destinationY = 0;
  int destinationType = 0;
  void *destinationHost = nullptr;
  Address destination = 0;
  void *destinationArray = nullptr;
  std::size_t destinationPitch = 0;
  std::size_t width = 0, height = 0;
};

/// CUDA_KERNEL_NODE_PARAMS_v2
struct KernelLaunch {
  FunctionHandle function = nullptr;
  unsigned gridX = 1, gridY = 1, gridZ = 1, blockX = 1, blockY = 1, blockZ = 1, sharedBytes = 0;
  void **arguments = nullptr, **extra = nullptr;
  void *kernel = nullptr, *context = nullptr;
};

// X(member, symbol, type)
#define ADJRT_DRIVER_FUNCTIONS(X)                                                                                      \
  X(init, cuInit, Result(unsigned))                                                                                    \
  X(errorName, cuGetErrorName, Result(Result, const char **))                                                          \
  X(errorText, cuGetErrorString, Result(Result, const char **))                                                        \
  X(deviceCount, cuDeviceGetCount, Result(int *))                                                                      \
  X(deviceGet, cuDeviceGet, Result(DeviceHandle *, int))                                                               \
  X(deviceName, cuDeviceGetName, Result(char *, int, DeviceHandle))                                                    \
  X(deviceBytes, cuDeviceTotalMem_v2, Result(std::size_t *, DeviceHandle))                                             \
  X(deviceAttribute, cuDeviceGetAttribute, Result(int *, int, DeviceHandle))                                           \
  X(contextRetain, cuDevicePrimaryCtxRetain, Result(ContextHandle *, DeviceHandle))                                    \
  X(contextRelease, cuDevicePrimaryCtxRelease_v2, Result(DeviceHandle))                                                \
  X(contextPush, cuCtxPushCurrent_v2, Result(ContextHandle))                                                           \
  X(contextPop, cuCtxPopCurrent_v2, Result(ContextHandle *))                                                           \
  X(memoryInfo, cuMemGetInfo_v2, Result(std::size_t *, std::size_t *))                                                 \
  X(memoryAllocate, cuMemAlloc_v2, Result(Address *, std::size_t))                                                     \
  X(memoryFree, cuMemFree_v2, Result(Address))                                                                         \
  X(hostAllocate, cuMemHostAlloc, Result(void **, std::size_t, unsigned))                                              \
  X(hostFree, cuMemFreeHost, Result(void *))                                                                           \
  X(addressReserve, cuMemAddressReserve, Result(Address *, std::size_t, std::size_t, Address, unsigned long long))     \
  X(addressFree, cuMemAddressFree, Result(Address, std::size_t))                                                       \
  X(allocationCreate, cuMemCreate,                                                                                     \
    Result(AllocationHandle *, std::size_t, const AllocationProperties *, unsigned long long))                         \
  X(allocationRelease, cuMemRelease, Result(AllocationHandle))                                                         \
  X(allocationGranularity, cuMemGetAllocationGranularity, Result(std::size_t *, const AllocationProperties *, int))    \
  X(map, cuMemMap, Result(Address, std::size_t, std::size_t, AllocationHandle, unsigned long long))                    \
  X(unmap, cuMemUnmap, Result(Address, std::size_t))                                                                   \
  X(setAccess, cuMemSetAccess, Result(Address, std::size_t, const AccessDescription *, std::size_t))                   \
  X(copyToDevice, cuMemcpyHtoDAsync_v2, Result(Address, const void *, std::size_t, Stream))                            \
  X(copyToHost, cuMemcpyDtoHAsync_v2, Result(void *, Address, std::size_t, Stream))                                    \
  X(copyOnDevice, cuMemcpyDtoDAsync_v2, Result(Address, Address, std::size_t, Stream))                                 \
  X(copyRows, cuMemcpy2DAsync_v2, Result(const Copy2D *, Stream))                                                      \
  X(fill, cuMemsetD8Async, Result(Address, unsigned char, std::size_t, Stream))                                        \
  X(streamCreate, cuStreamCreate, Result(Stream *, unsigned))                                                          \
  X(streamDestroy, cuStreamDestroy_v2, Result(Stream))                                                                 \
  X(streamWait, cuStreamSynchronize, Result(Stream))                                                                   \
  X(streamWaitEvent, cuStreamWaitEvent, Result(Stream, Event, unsigned))                                               \
  X(eventCreate, cuEventCreate, Result(Event *, unsigned))                                                             \
  X(eventDestroy, cuEventDestroy_v2, Result(Event))                                                                    \
  X(eventRecord, cuEventRecord, Result(Event, Stream))                                                                 \
  X(eventWait, cuEventSynchronize, Result(Event))                                                                      \
  X(eventElapsed, cuEventElapsedTime, Result(float *, Event, Event))                                                   \
  X(captureBegin, cuStreamBeginCapture_v2, Result(Stream, int))                                                        \
  X(captureEnd, cuStreamEndCapture, Result(Stream, GraphHandle *))                                                     \
  X(graphCreate, cuGraphCreate, Result(GraphHandle *, unsigned))                                                       \
  X(graphDestroy, cuGraphDestroy, Result(GraphHandle))                                                                 \
  X(graphAddKernel, cuGraphAddKernelNode_v2,                                                                           \
    Result(GraphNode *, GraphHandle, const GraphNode *, std::size_t, const KernelLaunch *))                            \
  X(graphAddChild, cuGraphAddChildGraphNode,                                                                           \
    Result(GraphNode *, GraphHandle, const GraphNode *, std::size_t, GraphHandle))                                     \
  X(graphInstantiate, cuGraphInstantiateWithFlags, Result(GraphExecHandle *, GraphHandle, unsigned long long))         \
  X(graphSetKernel, cuGraphExecKernelNodeSetParams_v2, Result(GraphExecHandle, GraphNode, const KernelLaunch *))       \
  X(graphLaunch, cuGraphLaunch, Result(GraphExecHandle, Stream))                                                       \
  X(graphExecDestroy, cuGraphExecDestroy, Result(GraphExecHandle))                                                     \
  X(moduleLoad, cuModuleLoadDataEx, Result(ModuleHandle *, const void *, unsigned, int *, void **))                    \
  X(moduleUnload, cuModuleUnload, Result(ModuleHandle))                                                                \
  X(moduleFunction, cuModuleGetFunction, Result(FunctionHandle *, ModuleHandle, const char *))                         \
  X(functionAttribute, cuFuncGetAttribute, Result(int *, int, FunctionHandle))                                         \
  X(setFunctionAttribute, cuFuncSetAttribute, Result(FunctionHandle, int, int))                                        \
  X(launch, cuLaunchKernel,                                                                                            \
    Result(FunctionHandle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void **,      \
           void **))

// Those that only newer drivers have (null in an older one): cuFuncGetParamInfo came with CUDA 12.4.
#define ADJRT_DRIVER_OPTIONAL_FUNCTIONS(X)                                                                             \
  X(functionParameter, cuFuncGetParamInfo, Result(FunctionHandle, std::size_t, std::size_t *, std::size_t *))

struct DriverApi {
#define ADJRT_DECLARE(member, symbol, ...)                                                                             \
  using member##Type = __VA_ARGS__;                                                                                    \
  member##Type *member = nullptr;
  ADJRT_DRIVER_FUNCTIONS(ADJRT_DECLARE)
  ADJRT_DRIVER_OPTIONAL_FUNCTIONS(ADJRT_DECLARE)
#undef ADJRT_DECLARE
};

} // namespace adjrt::cuda

#endif
