// The fake libcuda.so.1.
#include "FakeCuda.h"
#include "adjrt/abi.h"
#include "cuda/DriverApi.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
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

void copied(void *destination, const void *source, std::size_t bytes) {
  state.milliseconds += state.transferMilliseconds;
  std::memcpy(destination, source, bytes);
}

struct FakeFunction {
  std::string name;
  std::size_t parameters;
};

struct FakeEvent {
  bool timed;
  double milliseconds = -1;                ///< of the fake clock when it was last reached; negative before
  std::uint64_t recorded = 0, reached = 0; ///< how often it was put on a stream, and reached there
  struct FakeStream *stream = nullptr;     ///< that it was put on last
};

/// What is put on a stream: work, or an event to reach or to wait for, by the number of the recording meant.
struct FakeOp {
  std::function<void()> work;
  FakeEvent *reach = nullptr, *wait = nullptr;
  std::uint64_t number = 0;
  FakeStream *from = nullptr; ///< where the event that is waited for is
};
struct FakeStream {
  std::deque<FakeOp> ops;
};
std::vector<FakeStream *> streams; ///< that there are, in the order in which they were made

/// Do the first thing on a stream. When it waits for an event that was not reached: if `force`, go on there until it
/// is; else return false.
bool step(FakeStream &stream, bool force) {
  const FakeOp &first = stream.ops.front();
  if (first.wait && first.wait->reached < first.number) {
    if (!force)
      return false;
    FakeEvent *event = first.wait;
    const std::uint64_t number = first.number;
    FakeStream *from = first.from;
    while (event->reached < number)
      step(*from, true);
  }
  const FakeOp op = std::move(stream.ops.front());
  stream.ops.pop_front();
  if (op.work)
    op.work();
  if (op.reach) {
    op.reach->reached = op.number;
    op.reach->milliseconds = state.milliseconds;
  }
  return true;
}

void finish(FakeStream &stream) {
  while (!stream.ops.empty())
    step(stream, true);
}

/// What runs without being waited for.
void goOn() {
  if (!state.othersFirst) {
    finish(*streams.front());
    return;
  }
  for (std::size_t i = 1; i < streams.size(); ++i)
    while (!streams[i]->ops.empty() && step(*streams[i], false))
      ;
}

void put(FakeStream *stream, FakeOp op) {
  stream->ops.push_back(std::move(op));
  goOn();
}

void putWork(void *stream, std::function<void()> work) {
  if (state.captured == stream)
    state.capture->push_back(std::move(work));
  else
    put(static_cast<FakeStream *>(stream), {std::move(work)});
}
void putWork(Stream stream, std::function<void()> work) { putWork(reinterpret_cast<void *>(stream), std::move(work)); }

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

/// A node is one piece of work, or a kernel with arguments of its own.
struct FakeNode {
  std::vector<std::function<void()>> work;
  std::function<void()> kernel;
  bool other = false; ///< captured from another stream than the first
  std::vector<std::size_t> before = {};
};
struct FakeGraph {
  std::vector<std::pair<GraphNode, FakeNode>> nodes;

  void run() {
    std::vector<bool> done(nodes.size());
    const std::function<void(std::size_t)> one = [&](std::size_t i) {
      if (done[i])
        return;
      done[i] = true;
      FakeNode &node = nodes[i].second;
      for (std::size_t before : node.before)
        one(before);
      for (auto &work : node.work)
        work();
      if (node.kernel)
        node.kernel();
    };
    const auto ready = [&](std::size_t i) {
      const auto &before = nodes[i].second.before;
      return std::all_of(before.begin(), before.end(), [&](std::size_t b) { return bool(done[b]); });
    };
    for (std::size_t next = 0; next < nodes.size(); ++next) {
      if (state.othersFirst)
        for (std::size_t i = 0; i < nodes.size(); ++i)
          if (nodes[i].second.other && ready(i))
            one(i);
      if (!nodes[next].second.other)
        one(next);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i)
      one(i);
  }
};

Result addNode(GraphNode *node, GraphHandle handle, const GraphNode *before, std::size_t count, FakeNode made) {
  FakeGraph &graph = *reinterpret_cast<FakeGraph *>(handle);
  for (std::size_t i = 0; i < count; ++i) {
    const auto place =
        std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](auto &n) { return n.first == before[i]; });
    if (place == graph.nodes.end() || std::count(before, before + count, before[i]) != 1)
      return 1; // not of this graph, or named twice
    made.before.push_back(static_cast<std::size_t>(place - graph.nodes.begin()));
  }
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

FakeCuda *adjrtFakeCuda() {
  state.work = putWork;
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
Result cuStreamCreate(Stream *stream, unsigned flags) {
  ENTER("cuStreamCreate");
  streams.push_back(new FakeStream);
  *stream = reinterpret_cast<Stream>(streams.back());
  ++state.streams;
  return flags == kStreamNonBlocking ? kSuccess : 1;
}
Result cuStreamDestroy_v2(Stream stream) {
  auto *gone = reinterpret_cast<FakeStream *>(stream);
  std::erase(streams, gone);
  delete gone;
  --state.streams;
  return kSuccess;
}
Result cuStreamSynchronize(Stream stream) {
  ENTER("cuStreamSynchronize", true);
  if (state.capture)
    return 900; // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  finish(*reinterpret_cast<FakeStream *>(stream));
  return kSuccess;
}
Result cuStreamWaitEvent(Stream stream, Event event, unsigned flags) {
  ENTER("cuStreamWaitEvent");
  auto *awaited = reinterpret_cast<FakeEvent *>(event);
  if (flags)
    return 1;
  if (awaited->recorded)
    put(reinterpret_cast<FakeStream *>(stream), {{}, nullptr, awaited, awaited->recorded, awaited->stream});
  return kSuccess;
}
Result cuEventCreate(Event *event, unsigned flags) {
  ENTER("cuEventCreate");
  *event = reinterpret_cast<Event>(new FakeEvent{(flags & kEventNoTiming) == 0});
  ++state.events;
  return kSuccess;
}
Result cuEventDestroy_v2(Event event) {
  delete reinterpret_cast<FakeEvent *>(event);
  --state.events;
  return kSuccess;
}
Result cuEventRecord(Event handle, Stream stream) {
  ENTER("cuEventRecord");
  auto *event = reinterpret_cast<FakeEvent *>(handle);
  event->stream = reinterpret_cast<FakeStream *>(stream);
  put(event->stream, {{}, event, nullptr, ++event->recorded});
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
Result cuEventSynchronize(Event handle) {
  ENTER("cuEventSynchronize", true);
  const FakeEvent &event = *reinterpret_cast<FakeEvent *>(handle);
  while (event.reached < event.recorded)
    step(*event.stream, true);
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
                      unsigned bz, unsigned shared, Stream stream, void **arguments, void **) {
  ENTER("cuLaunchKernel");
  const KernelLaunch launch{handle, gx, gy, gz, bx, by, bz, shared, arguments};
  putWork(stream, kernelOf(launch));
  return kSuccess;
}

Result cuStreamBeginCapture_v2(Stream stream, int mode) {
  ENTER("cuStreamBeginCapture");
  if (state.capture || mode != kCaptureRelaxed)
    return 1;
  state.capture = new std::vector<std::function<void()>>;
  state.captured = stream;
  return kSuccess;
}
Result cuStreamEndCapture(Stream stream, GraphHandle *graph) {
  state.captured = nullptr;
  const std::unique_ptr<std::vector<std::function<void()>>> captured(std::exchange(state.capture, nullptr));
  ENTER("cuStreamEndCapture");
  if (!captured)
    return 1;
  auto *made = new FakeGraph;
  GraphNode node = nullptr;
  ++state.graphs;
  *graph = reinterpret_cast<GraphHandle>(made);
  return addNode(&node, *graph, nullptr, 0,
                 {std::move(*captured), {}, reinterpret_cast<FakeStream *>(stream) != streams.front()});
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
  for (auto &[key, piece] : reinterpret_cast<FakeGraph *>(child)->nodes) {
    made.work.insert(made.work.end(), piece.work.begin(), piece.work.end());
    made.other = piece.other;
  }
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
Result cuGraphLaunch(GraphExecHandle ready, Stream stream) {
  ENTER("cuGraphLaunch");
  if (state.capture)
    return 900;
  putWork(stream, [graph = *reinterpret_cast<FakeGraph *>(ready)]() mutable { graph.run(); });
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
