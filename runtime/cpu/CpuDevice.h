// The cpu device.
#ifndef ADJRT_CPU_CPUDEVICE_H
#define ADJRT_CPU_CPUDEVICE_H

#include "Arena.h"
#include "Processor.h"
#include "Program.h"
#include "SharedObject.h"
#include "ThreadPool.h"
#include "adjrt/device/Device.h"

namespace adjrt::cpu {

class CpuDevice final : public Device {
public:
  /// `threads`: 0 for one per available core. `processor`: this machine's, or another one in tests.
  static Expected<std::unique_ptr<Device>> make(unsigned threads, Processor processor = Processor::read());

  const std::string &name() const override { return deviceName; }
  Status open(const Module &module) override;
  Status reserve(std::uint64_t bytes) override { return arena.reserve(bytes); }
  Status reserveHost(std::uint64_t bytes) override { return host.reserve(bytes); }
  Status upload(std::uint64_t offset, std::span<const std::byte> source) override;
  Status download(std::uint64_t offset, std::span<std::byte> destination) override;
  Status copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes) override;
  Status zero(std::uint64_t offset, std::uint64_t bytes) override;
  Status transfer(bool toHost, std::uint64_t offset, std::uint64_t hostOffset, std::uint64_t bytes) override;
  Status await(bool, std::uint64_t) override { return {}; } // a transfer is done when its call returns
  Status run(std::uint32_t index, const Bindings &bindings) override;
  void observeCommands(CommandObserver newObserver) override { observer = std::move(newObserver); }
  Expected<double> timeAlone(const CommandPlace &place, const Bindings &bindings, int times) override;
  Status adamw(const AdamWStep &step) override;
  Status wait() override { return {}; } // every call has done its work when it returns
  DeviceMemory memory() const override;
  bool countsHostMemory() const override { return true; }

private:
  explicit CpuDevice(Processor processor) : processor(std::move(processor)) {}
  Status inArena(std::uint64_t offset, std::uint64_t bytes) const;

  Processor processor;
  std::string deviceName;
  std::unique_ptr<ThreadPool> pool;
  Arena arena{"the arena"}, host{"host memory"};
  std::vector<SharedObject> code;
  std::vector<adj_cpu_kernel> kernels; ///< of the module, in its order
  std::vector<Program> programs;
  CommandObserver observer;
};

} // namespace adjrt::cpu

#endif
