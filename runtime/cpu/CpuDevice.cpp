#include "CpuDevice.h"
#include "AdamW.h"
#include "Bf16Gemm.h"
#include "Gemm.h"
#include "Memory.h"

#include <chrono>
#include <cstring>
#include <unordered_map>

namespace adjrt::cpu {
namespace {

/// More threads than any machine has are a typing mistake.
constexpr unsigned kMostThreads = 4096;

Status checkTarget(const fb::Target &target, const Processor &processor) {
  const std::string name = target.name()->str();
  if (name != "cpu")
    return invalidInput("target: the module was compiled for " + name +
                        ", not for the cpu; choose another --device, or compile the spec with --target=cpu");
  std::string missing;
  if (target.features())
    for (const flatbuffers::String *feature : *target.features())
      if (!processor.features.contains(feature->str()))
        missing += (missing.empty() ? "" : ", ") + feature->str();
  if (!missing.empty())
    return invalidInput("target: the code was compiled for --cpu=" + (target.cpu() ? target.cpu()->str() : "unknown") +
                        ", but this processor (" + processor.model + ") lacks " + missing +
                        "; compile the spec for this machine (--cpu=native) or an older one (--cpu=x86-64-v2)");
  return {};
}

} // namespace

Expected<std::unique_ptr<Device>> CpuDevice::make(unsigned threads, Processor processor) {
  if (threads > kMostThreads)
    return invalidInput("threads: " + std::to_string(threads) + " is more than " + std::to_string(kMostThreads));
  std::unique_ptr<CpuDevice> device(new CpuDevice(std::move(processor)));
  ADJ_ASSIGN_OR_RETURN(device->pool, ThreadPool::make(threads ? threads : availableCores()));
  device->deviceName = device->processor.model + ", " + std::to_string(device->pool->threads()) +
                       " threads, OpenBLAS " + gemmKernelName();
  return device;
}

Status CpuDevice::open(const Module &module) {
  const auto annotate = [&](Error error) { return tl::unexpected<Error>(error.in(module.path())); };
  const fb::Module &table = module.table();
  if (Status status = checkTarget(*table.target(), processor); !status)
    return annotate(status.error());

  programs.clear();
  kernels.clear();
  code.clear();
  std::unordered_map<std::uint32_t, std::size_t> opened; // blob -> place in `code`
  for (std::uint32_t i = 0; table.kernels() && i < table.kernels()->size(); ++i) {
    const fb::Kernel &kernel = *table.kernels()->Get(i);
    if (!opened.contains(kernel.blob())) {
      auto object = SharedObject::open(module.blob(kernel.blob()));
      if (!object)
        return annotate(object.error().in("blob " + std::to_string(kernel.blob())));
      opened[kernel.blob()] = code.size();
      code.push_back(std::move(*object));
    }
    auto entry = code[opened[kernel.blob()]].kernel(kernel.name()->str());
    if (!entry)
      return annotate(entry.error());
    kernels.push_back(*entry);
  }
  for (const fb::Program *program : *table.programs())
    programs.emplace_back(*program, kernels);
  warmUpGemm(*pool);
  if (table.dtype() == fb::DType::bf16)
    warmUpGemmBf16(*pool);
  return {};
}

Status CpuDevice::inArena(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > arena.size() || bytes > arena.size() - offset)
    return failed("bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) + " leave the arena of " +
                  std::to_string(arena.size()) + " bytes");
  return {};
}

Status CpuDevice::upload(std::uint64_t offset, std::span<const std::byte> source) {
  ADJ_RETURN_IF_ERROR(inArena(offset, source.size()));
  if (!source.empty())
    std::memcpy(arena.data() + offset, source.data(), source.size());
  return {};
}

Status CpuDevice::download(std::uint64_t offset, std::span<std::byte> destination) {
  ADJ_RETURN_IF_ERROR(inArena(offset, destination.size()));
  if (!destination.empty())
    std::memcpy(destination.data(), arena.data() + offset, destination.size());
  return {};
}

Status CpuDevice::copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes) {
  ADJ_RETURN_IF_ERROR(inArena(destination, bytes));
  ADJ_RETURN_IF_ERROR(inArena(source, bytes));
  if (bytes)
    std::memcpy(arena.data() + destination, arena.data() + source, bytes);
  return {};
}

Status CpuDevice::zero(std::uint64_t offset, std::uint64_t bytes) {
  ADJ_RETURN_IF_ERROR(inArena(offset, bytes));
  if (bytes)
    std::memset(arena.data() + offset, 0, bytes);
  return {};
}

Status CpuDevice::transfer(bool toHost, std::uint64_t offset, std::uint64_t hostOffset, std::uint64_t bytes) {
  ADJ_RETURN_IF_ERROR(inArena(offset, bytes));
  if (hostOffset > host.size() || bytes > host.size() - hostOffset)
    return failed("bytes " + std::to_string(hostOffset) + " to " + std::to_string(hostOffset + bytes) +
                  " leave the host memory of " + std::to_string(host.size()) + " bytes");
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  CommandTiming timing;
  timing.program = CommandTiming::kNoProgram;
  timing.queue = toHost ? Queue::ToHost : Queue::ToDevice;
  timing.bytes = bytes;
  timing.begin = observer ? now() : 0;
  if (bytes && toHost)
    std::memcpy(host.data() + hostOffset, arena.data() + offset, bytes);
  else if (bytes)
    std::memcpy(arena.data() + offset, host.data() + hostOffset, bytes);
  if (observer) {
    timing.end = now();
    observer(timing);
  }
  return {};
}

Status CpuDevice::run(std::uint32_t index, const Bindings &bindings) {
  if (index >= programs.size())
    return failed("program " + std::to_string(index) + " of " + std::to_string(programs.size()));
  if (!observer) {
    programs[index].run(*pool, arena.data(), host.data(), bindings);
    return {};
  }
  const CommandObserver observe = [&](const CommandTiming &timing) {
    CommandTiming complete = timing;
    complete.program = index;
    observer(complete);
  };
  programs[index].run(*pool, arena.data(), host.data(), bindings, &observe);
  return {};
}

Expected<double> CpuDevice::timeAlone(const CommandPlace &place, const Bindings &bindings, int times) {
  if (place.program >= programs.size() || !programs[place.program].holds(place))
    return program::noSuchCommand(place);
  return programs[place.program].timeAlone(*pool, arena.data(), host.data(), bindings, place, times);
}

Status CpuDevice::adamw(const AdamWStep &step) {
  for (std::uint64_t offset : {step.parameters, step.gradients, step.firstMoment, step.secondMoment})
    ADJ_RETURN_IF_ERROR(inArena(offset, step.count * sizeof(float)));
  cpu::adamw(*pool, arena.data(), step);
  return {};
}

DeviceMemory CpuDevice::memory() const { return processMemory(); }

} // namespace adjrt::cpu
