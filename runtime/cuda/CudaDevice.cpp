#include "CudaDevice.h"
#include "Target.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace adjrt::cuda {

Expected<std::unique_ptr<Device>> CudaDevice::make(int ordinal) {
  std::unique_ptr<CudaDevice> device(new CudaDevice);
  ADJ_ASSIGN_OR_RETURN(std::shared_ptr<const Driver> driver, Driver::open());
  ADJ_ASSIGN_OR_RETURN(device->context, Context::open(std::move(driver), ordinal));
  const Context::Current current(*device->context);
  ADJ_ASSIGN_OR_RETURN(device->staging, Staging::make(*device->context));
  ADJ_ASSIGN_OR_RETURN(device->blas, BlasLt::open(*device->context));
  device->arena = std::make_unique<CudaArena>(*device->context);
  device->pinned = std::make_unique<PinnedMemory>(*device->context);
  ADJ_ASSIGN_OR_RETURN(device->streams, TransferStreams::make(*device->context));
  for (bool toHost : {false, true}) {
    device->programQueues[toHost] = std::make_unique<TransferQueue>(*device->context, (*device->streams)[toHost]);
    device->ownQueues[toHost] = std::make_unique<TransferQueue>(*device->context, (*device->streams)[toHost]);
  }
  auto optimizer = AdamW::load(*device->context);
  if (!optimizer)
    return tl::unexpected<Error>(optimizer.error());
  device->optimizer.emplace(std::move(*optimizer));
  const auto is = [](const char *variable, std::string_view value) {
    const char *found = std::getenv(variable);
    return found && found == value;
  };
  device->synchronous = is(kSynchronousVariable, "1");
  device->graphs = !is(kGraphsVariable, "0");
  device->measure();
  return device;
}

CudaDevice::~CudaDevice() {
  if (context) {
    const Context::Current current(*context);
    (void)context->wait();
  }
}

Status CudaDevice::named(Status status) const {
  return status ? status : tl::unexpected<Error>(status.error().in(label()));
}

Status CudaDevice::open(const Module &module) {
  const Context::Current current(*context);
  const auto load = [&]() -> Status {
    ADJ_RETURN_IF_ERROR(checkTarget(module.table(), label(), context->properties()));
    programs.clear();
    kernels.reset();
    auto code = KernelCode::load(*context, module);
    if (!code)
      return tl::unexpected<Error>(code.error());
    kernels.emplace(std::move(*code));
    for (const fb::Program *program : *module.table().programs()) {
      ADJ_ASSIGN_OR_RETURN(CudaProgram made, CudaProgram::make(*program));
      programs.push_back(std::move(made));
    }
    return {};
  };
  Status status = load();
  measure();
  return status ? status : tl::unexpected<Error>(status.error().in(module.path()));
}

Status CudaDevice::reserve(std::uint64_t bytes) {
  const Context::Current current(*context);
  Status status = arena->reserve(bytes);
  measure();
  return named(std::move(status));
}

Status CudaDevice::reserveHost(std::uint64_t bytes) {
  const Context::Current current(*context);
  ADJ_RETURN_IF_ERROR(waited(awaitAll()));
  return named(pinned->reserve(bytes));
}

Status CudaDevice::awaitAll() {
  for (const auto &queue : ownQueues)
    ADJ_RETURN_IF_ERROR(queue->await(0));
  return {};
}

Status CudaDevice::inArena(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > arena->size() || bytes > arena->size() - offset)
    return failed("bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) + " leave the arena of " +
                  std::to_string(arena->size()) + " bytes");
  return {};
}

Status CudaDevice::upload(std::uint64_t offset, std::span<const std::byte> source) {
  ADJ_RETURN_IF_ERROR(inArena(offset, source.size()));
  const Context::Current current(*context);
  return named(staging->upload(arena->data() + offset, source));
}

Status CudaDevice::download(std::uint64_t offset, std::span<std::byte> destination) {
  ADJ_RETURN_IF_ERROR(inArena(offset, destination.size()));
  const Context::Current current(*context);
  return waited(staging->download(arena->data() + offset, destination));
}

Status CudaDevice::wait() {
  const Context::Current current(*context);
  ADJ_RETURN_IF_ERROR(waited(awaitAll()));
  return waited(context->wait());
}

Status CudaDevice::waited(Status status) const {
  if (status)
    return status;
  return named(tl::unexpected<Error>(Error{
      status.error().kind,
      status.error().message + ", in what was started before" +
          (synchronous ? ""
                       : std::string("; run with ") + kSynchronousVariable + "=1 to learn which command it was")}));
}

Status CudaDevice::copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes) {
  ADJ_RETURN_IF_ERROR(inArena(destination, bytes));
  ADJ_RETURN_IF_ERROR(inArena(source, bytes));
  if (bytes == 0)
    return {};
  const Context::Current current(*context);
  const Driver &api = context->driver();
  return named(
      api.check(api.copyOnDevice(arena->data() + destination, arena->data() + source, bytes, context->stream()),
                "cuMemcpyDtoDAsync"));
}

Status CudaDevice::transfer(bool toHost, std::uint64_t offset, std::uint64_t hostOffset, std::uint64_t bytes) {
  ADJ_RETURN_IF_ERROR(inArena(offset, bytes));
  if (hostOffset > pinned->size() || bytes > pinned->size() - hostOffset)
    return failed("bytes " + std::to_string(hostOffset) + " to " + std::to_string(hostOffset + bytes) +
                  " leave the host memory of " + std::to_string(pinned->size()) + " bytes");
  if (bytes == 0) {
    ownQueues[toHost]->addEmpty();
    return {};
  }
  const Context::Current current(*context);
  const Driver &api = context->driver();
  const auto copy = [&](Stream stream) {
    std::byte *host = pinned->data() + hostOffset;
    return toHost ? api.check(api.copyToHost(host, arena->data() + offset, bytes, stream), "cuMemcpyDtoHAsync")
                  : api.check(api.copyToDevice(arena->data() + offset, host, bytes, stream), "cuMemcpyHtoDAsync");
  };
  if (!timer)
    return named(ownQueues[toHost]->add(copy));
  CommandTiming timing;
  timing.program = CommandTiming::kNoProgram;
  timing.queue = toHost ? Queue::ToHost : Queue::ToDevice;
  timing.bytes = bytes;
  return named(ownQueues[toHost]->add([&](Stream stream) { return timer->transfer(timing, stream, copy); }));
}

Status CudaDevice::await(bool toHost, std::uint64_t behind) {
  const Context::Current current(*context);
  return named(ownQueues[toHost]->await(behind));
}

Status CudaDevice::zero(std::uint64_t offset, std::uint64_t bytes) {
  ADJ_RETURN_IF_ERROR(inArena(offset, bytes));
  if (bytes == 0)
    return {};
  const Context::Current current(*context);
  const Driver &api = context->driver();
  return named(api.check(api.fill(arena->data() + offset, 0, bytes, context->stream()), "cuMemsetD8Async"));
}

Status CudaDevice::run(std::uint32_t index, const Bindings &bindings) {
  if (index >= programs.size())
    return failed("program " + std::to_string(index) + " of " + std::to_string(programs.size()));
  const Context::Current current(*context);
  const auto run = [&]() -> Status {
    if (!timer)
      return programs[index].run(machine(), bindings);
    ADJ_RETURN_IF_ERROR(timer->begin());
    ADJ_RETURN_IF_ERROR(programs[index].run(machine(), bindings));
    return timer->report(index, observer);
  };
  return named(run());
}

CudaProgram::Machine CudaDevice::machine() const {
  return {*context,      *kernels,       *blas,       *streams,    {programQueues[0].get(), programQueues[1].get()},
          arena->data(), pinned->data(), synchronous, timer.get(), graphs};
}

Expected<double> CudaDevice::timeAlone(const CommandPlace &place, const Bindings &bindings, int times) {
  if (place.program >= programs.size() || !programs[place.program].holds(place))
    return program::noSuchCommand(place);
  ADJ_RETURN_IF_ERROR(wait());
  const Context::Current current(*context);
  CudaProgram::Machine untimed = machine();
  untimed.timer = nullptr;
  Expected<double> seconds = programs[place.program].timeAlone(untimed, bindings, place, times);
  return seconds ? seconds : tl::unexpected<Error>(seconds.error().in(label()));
}

void CudaDevice::observeCommands(CommandObserver newObserver) {
  observer = std::move(newObserver);
  if (!observer)
    timer.reset();
  else if (!timer)
    timer = std::make_unique<CommandTimer>(*context);
}

Status CudaDevice::adamw(const AdamWStep &step) {
  for (std::uint64_t offset : {step.parameters, step.gradients, step.firstMoment, step.secondMoment})
    ADJ_RETURN_IF_ERROR(inArena(offset, step.count * sizeof(float)));
  const Context::Current current(*context);
  return named(optimizer->step(arena->data(), step));
}

void CudaDevice::measure() const {
  std::size_t free = 0, total = 0;
  if (context->driver().memoryInfo(&free, &total) != kSuccess)
    return; // a lost context: the figures of before stand
  figures.current = total - free;
  figures.peak = std::max(figures.peak, figures.current);
}

DeviceMemory CudaDevice::memory() const {
  const Context::Current current(*context);
  measure();
  return figures;
}

} // namespace adjrt::cuda
