// The fake libcuda.so.1.
#include "FakeCuda.h"
#include "adjrt/abi.h"
#include "cuda/DriverApi.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <sys/mman.h>
#include <type_traits>
#include <utility>

using namespace adjrt::cuda;
using adjrt::test::FakeCuda;

namespace {

FakeCuda state;

/// What a call returns before it does anything.
Result enter(const char *name, bool waits = false) {
  ++state.calls[name];
  if (waits && state.laterError)
    state.lost = state.laterError;
  if (state.lost)
    return state.lost;
  if (auto found = state.failures.find(name); found != state.failures.end() && found->second.skip-- == 0)
    return found->second.result;
  return kSuccess;
}

#define ENTER(name, ...)                                                                                               \
  if (const Result result = enter(name __VA_OPT__(, ) __VA_ARGS__))                                                    \
  return result

char *at(Address address) { return reinterpret_cast<char *>(address); }

struct FakeFunction {
  std::string name;
  std::size_t parameters;
};

struct FakeEvent {
  bool timed;
  double milliseconds; ///< of the fake clock when it was recorded; negative before
};

struct FakeModule {
  std::string text;
  std::map<std::string, FakeFunction> functions;
};

extern "C" {
void add_scaled(const adj_kernel_args *);
void record(const adj_kernel_args *);
void shapes(const adj_kernel_args *);
void model_forward(const adj_kernel_args *);
void model_backward(const adj_kernel_args *);
}

/// runtime/cpu/AdamW.cpp's formula, once more.
void adamw(void **arguments) {
  const auto address = [&](int i) { return reinterpret_cast<float *>(*static_cast<std::uint64_t *>(arguments[i])); };
  const auto value = [&](int i) { return *static_cast<float *>(arguments[i]); };
  float *p = address(0), *g = address(1), *m = address(2), *v = address(3);
  const std::uint64_t count = *static_cast<std::uint64_t *>(arguments[4]);
  const float rate = value(5), b1 = value(6), b2 = value(7), epsilon = value(8), decay = value(9);
  for (std::uint64_t i = 0; i < count; ++i) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    p[i] -= rate * (m[i] / value(10) / (std::sqrt(v[i] / value(11)) + epsilon) + decay * p[i]);
  }
}

/// A node is one piece of work, or a kernel with arguments of its own; the fake knows chains only.
struct FakeNode {
  std::vector<std::function<void()>> work;
  std::function<void()> kernel;
};
struct FakeGraph {
  std::vector<std::pair<GraphNode, FakeNode>> nodes;
};

Result addNode(GraphNode *node, GraphHandle handle, const GraphNode *before, std::size_t count, FakeNode made) {
  FakeGraph &graph = *reinterpret_cast<FakeGraph *>(handle);
  if (count != (graph.nodes.empty() ? 0u : 1u) || (count && *before != graph.nodes.back().first))
    return 1; // not in the order in which nodes are added
  static std::uintptr_t next = 0;
  *node = reinterpret_cast<GraphNode>(++next);
  graph.nodes.emplace_back(*node, std::move(made));
  return kSuccess;
}

/// The C twin of a kernel, all groups at once.
void runTwin(const FakeFunction &function, void **arguments) {
  static const std::map<std::string, adj_cpu_kernel> twins{{"add_scaled", add_scaled},
                                                           {"record", record},
                                                           {"shapes", shapes},
                                                           {"model_forward", model_forward},
                                                           {"model_backward", model_backward}};
  const auto twin = twins.find(function.name);
  if (twin == twins.end())
    return;
  const std::size_t operands = function.parameters - ADJ_PTX_COUNTS;
  std::vector<void *> buffers;
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < function.parameters; ++i) {
    const std::uint64_t value = *static_cast<std::uint64_t *>(arguments[i]);
    if (i < operands)
      buffers.push_back(reinterpret_cast<void *>(value));
    else
      counts.push_back(static_cast<std::int64_t>(value));
  }
  const adj_kernel_args args{buffers.data(), counts[0], counts[1], counts[2], 0, counts[3]};
  twin->second(&args);
}

/// A launch with its arguments as they are now: what runs it, and writes it down.
std::function<void()> kernelOf(const KernelLaunch &launch) {
  const FakeFunction &function = *reinterpret_cast<FakeFunction *>(launch.function);
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < function.parameters; ++i)
    std::memcpy(&values.emplace_back(), launch.arguments[i],
                function.name == "adjrt_adamw" && i > 4 ? sizeof(float) : sizeof(std::uint64_t));
  return [=]() mutable {
    std::vector<void *> arguments;
    for (std::uint64_t &value : values)
      arguments.push_back(&value);
    std::string line = function.name + " grid";
    for (unsigned value : {launch.gridX, launch.gridY, launch.gridZ})
      line += " " + std::to_string(value);
    line += " block";
    for (unsigned value : {launch.blockX, launch.blockY, launch.blockZ})
      line += " " + std::to_string(value);
    line += " shared " + std::to_string(launch.sharedBytes);
    state.milliseconds += 2;
    if (function.name == "adjrt_adamw") {
      adamw(arguments.data());
    } else {
      line += " counts";
      for (std::size_t i = function.parameters - ADJ_PTX_COUNTS; i < function.parameters; ++i)
        line += " " + std::to_string(static_cast<std::int64_t>(values[i]));
      if (launch.gridX * std::uint64_t(launch.gridY) < 1000000)
        runTwin(function, arguments.data());
    }
    state.launches.push_back(line);
  };
}

std::map<AllocationHandle, std::size_t> allocations;
std::map<Address, std::size_t> plainAllocations;

} // namespace

extern "C" {

FakeCuda *adjrtFakeCuda() { return &state; }

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
Result cuMemcpyHtoDAsync_v2(Address destination, const void *source, std::size_t bytes, Stream) {
  ENTER("cuMemcpyHtoDAsync");
  std::memcpy(at(destination), source, bytes);
  return kSuccess;
}
Result cuMemcpyDtoHAsync_v2(void *destination, Address source, std::size_t bytes, Stream) {
  ENTER("cuMemcpyDtoHAsync");
  std::memcpy(destination, at(source), bytes);
  return kSuccess;
}
Result cuMemcpyDtoDAsync_v2(Address destination, Address source, std::size_t bytes, Stream) {
  ENTER("cuMemcpyDtoDAsync");
  state.work([=] { std::memcpy(at(destination), at(source), bytes); });
  return kSuccess;
}
Result cuMemcpy2DAsync_v2(const Copy2D *copy, Stream) {
  ENTER("cuMemcpy2DAsync");
  if (copy->sourceType != kMemoryDevice || copy->destinationType != kMemoryDevice || copy->sourcePitch < copy->width ||
      copy->destinationPitch < copy->width)
    return 1;
  state.work([copy = *copy] {
    for (std::size_t row = 0; row < copy.height; ++row)
      std::memcpy(at(copy.destination + row * copy.destinationPitch), at(copy.source + row * copy.sourcePitch),
                  copy.width);
  });
  return kSuccess;
}
Result cuMemsetD8Async(Address address, unsigned char value, std::size_t bytes, Stream) {
  ENTER("cuMemsetD8Async");
  state.work([=] {
    state.milliseconds += 1;
    std::memset(at(address), value, bytes);
  });
  return kSuccess;
}
Result cuStreamCreate(Stream *stream, unsigned flags) {
  ENTER("cuStreamCreate");
  *stream = reinterpret_cast<Stream>(&state);
  ++state.streams;
  return flags == kStreamNonBlocking ? kSuccess : 1;
}
Result cuStreamDestroy_v2(Stream) {
  --state.streams;
  return kSuccess;
}
Result cuStreamSynchronize(Stream) {
  ENTER("cuStreamSynchronize", true);
  if (state.capture)
    return 900; // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  return kSuccess;
}
Result cuEventCreate(Event *event, unsigned flags) {
  ENTER("cuEventCreate");
  *event = reinterpret_cast<Event>(new FakeEvent{(flags & kEventNoTiming) == 0, -1});
  ++state.events;
  return kSuccess;
}
Result cuEventDestroy_v2(Event event) {
  delete reinterpret_cast<FakeEvent *>(event);
  --state.events;
  return kSuccess;
}
Result cuEventRecord(Event event, Stream) {
  ENTER("cuEventRecord");
  reinterpret_cast<FakeEvent *>(event)->milliseconds = state.milliseconds;
  return kSuccess;
}
Result cuEventElapsedTime(float *milliseconds, Event from, Event to) {
  ENTER("cuEventElapsedTime");
  const FakeEvent &begin = *reinterpret_cast<FakeEvent *>(from), &end = *reinterpret_cast<FakeEvent *>(to);
  if (!begin.timed || !end.timed || begin.milliseconds < 0 || end.milliseconds < 0)
    return 400; // CUDA_ERROR_INVALID_HANDLE
  *milliseconds = static_cast<float>(end.milliseconds - begin.milliseconds);
  return kSuccess;
}
Result cuEventSynchronize(Event) {
  ENTER("cuEventSynchronize", true);
  return kSuccess;
}
Result cuModuleLoadDataEx(ModuleHandle *module, const void *image, unsigned count, int *options, void **values) {
  ENTER("cuModuleLoadDataEx");
  const std::string text(static_cast<const char *>(image));
  if (text.find(".version") == std::string::npos) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == kJitErrorLog)
        std::strcpy(static_cast<char *>(values[i]), "ptxas fatal: Missing .version directive");
    return 218;
  }
  *module = reinterpret_cast<ModuleHandle>(new FakeModule{text, {}});
  ++state.modules;
  return kSuccess;
}
Result cuModuleUnload(ModuleHandle module) {
  delete reinterpret_cast<FakeModule *>(module);
  --state.modules;
  return kSuccess;
}
Result cuModuleGetFunction(FunctionHandle *function, ModuleHandle handle, const char *name) {
  ENTER("cuModuleGetFunction");
  FakeModule &module = *reinterpret_cast<FakeModule *>(handle);
  const std::size_t begin = module.text.find(".entry " + std::string(name) + "(");
  if (begin == std::string::npos)
    return 500;
  const std::string parameters = module.text.substr(begin, module.text.find(')', begin) - begin);
  std::size_t count = 0;
  for (std::size_t i = parameters.find(".param"); i != std::string::npos; i = parameters.find(".param", i + 1))
    ++count;
  FakeFunction &result = module.functions[name] = {name, count};
  *function = reinterpret_cast<FunctionHandle>(&result);
  return kSuccess;
}
Result cuFuncGetAttribute(int *value, int attribute, FunctionHandle) {
  ENTER("cuFuncGetAttribute");
  *value = attribute == kFunctionMaxThreads ? state.functionThreads : state.functionSharedBytes;
  return kSuccess;
}
Result cuFuncSetAttribute(FunctionHandle, int attribute, int) {
  ENTER("cuFuncSetAttribute");
  return attribute == kFunctionMaxDynamicShared ? kSuccess : 1;
}
Result cuFuncGetParamInfo(FunctionHandle function, std::size_t index, std::size_t *offset, std::size_t *bytes) {
  ENTER("cuFuncGetParamInfo");
  if (index >= reinterpret_cast<FakeFunction *>(function)->parameters)
    return 1;
  *offset = 8 * index;
  *bytes = 8;
  return kSuccess;
}
Result cuLaunchKernel(FunctionHandle handle, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                      unsigned bz, unsigned shared, Stream, void **arguments, void **) {
  ENTER("cuLaunchKernel");
  const KernelLaunch launch{handle, gx, gy, gz, bx, by, bz, shared, arguments};
  state.work(kernelOf(launch));
  return kSuccess;
}

Result cuStreamBeginCapture_v2(Stream, int mode) {
  ENTER("cuStreamBeginCapture");
  if (state.capture || mode != kCaptureRelaxed)
    return 1;
  state.capture = new std::vector<std::function<void()>>;
  return kSuccess;
}
Result cuStreamEndCapture(Stream, GraphHandle *graph) {
  const std::unique_ptr<std::vector<std::function<void()>>> captured(std::exchange(state.capture, nullptr));
  ENTER("cuStreamEndCapture");
  if (!captured)
    return 1;
  auto *made = new FakeGraph;
  GraphNode node = nullptr;
  ++state.graphs;
  *graph = reinterpret_cast<GraphHandle>(made);
  return addNode(&node, *graph, nullptr, 0, {std::move(*captured), {}});
}
Result cuGraphCreate(GraphHandle *graph, unsigned) {
  ENTER("cuGraphCreate");
  *graph = reinterpret_cast<GraphHandle>(new FakeGraph);
  ++state.graphs;
  return kSuccess;
}
Result cuGraphDestroy(GraphHandle graph) {
  delete reinterpret_cast<FakeGraph *>(graph);
  --state.graphs;
  return kSuccess;
}
Result cuGraphAddKernelNode_v2(GraphNode *node, GraphHandle graph, const GraphNode *before, std::size_t count,
                               const KernelLaunch *launch) {
  ENTER("cuGraphAddKernelNode");
  return addNode(node, graph, before, count, {{}, kernelOf(*launch)});
}
Result cuGraphAddChildGraphNode(GraphNode *node, GraphHandle graph, const GraphNode *before, std::size_t count,
                                GraphHandle child) {
  ENTER("cuGraphAddChildGraphNode");
  FakeNode made;
  for (auto &[key, piece] : reinterpret_cast<FakeGraph *>(child)->nodes)
    made.work.insert(made.work.end(), piece.work.begin(), piece.work.end());
  return addNode(node, graph, before, count, std::move(made));
}
Result cuGraphInstantiateWithFlags(GraphExecHandle *ready, GraphHandle graph, unsigned long long) {
  ENTER("cuGraphInstantiate");
  *ready = reinterpret_cast<GraphExecHandle>(new FakeGraph(*reinterpret_cast<FakeGraph *>(graph)));
  ++state.readyGraphs;
  return kSuccess;
}
Result cuGraphExecKernelNodeSetParams_v2(GraphExecHandle ready, GraphNode node, const KernelLaunch *launch) {
  ENTER("cuGraphExecKernelNodeSetParams");
  for (auto &[key, piece] : reinterpret_cast<FakeGraph *>(ready)->nodes)
    if (key == node && piece.kernel) {
      piece.kernel = kernelOf(*launch);
      return kSuccess;
    }
  return 1;
}
Result cuGraphLaunch(GraphExecHandle ready, Stream) {
  ENTER("cuGraphLaunch");
  if (state.capture)
    return 900;
  for (auto &[key, piece] : reinterpret_cast<FakeGraph *>(ready)->nodes) {
    for (auto &work : piece.work)
      work();
    if (piece.kernel)
      piece.kernel();
  }
  return kSuccess;
}
Result cuGraphExecDestroy(GraphExecHandle ready) {
  delete reinterpret_cast<FakeGraph *>(ready);
  --state.readyGraphs;
  return kSuccess;
}

} // extern "C"

// The fake's functions are those that the runtime asks for.
#define CHECK(member, symbol, ...) static_assert(std::is_same_v<decltype(symbol), __VA_ARGS__>);
ADJRT_DRIVER_FUNCTIONS(CHECK)
ADJRT_DRIVER_OPTIONAL_FUNCTIONS(CHECK)
