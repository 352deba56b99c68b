// The device cuda:N: one NVIDIA GPU.
#ifndef ADJRT_CUDA_CUDADEVICE_H
#define ADJRT_CUDA_CUDADEVICE_H

#include "AdamW.h"
#include "BlasLt.h"
#include "CudaArena.h"
#include "CudaProgram.h"
#include "PinnedMemory.h"
#include "Staging.h"
#include "adjrt/device/Device.h"

#include <optional>

namespace adjrt::cuda {

/// When this environment variable is 1, a program waits for each of its commands, so that an error on the GPU is
/// returned with the command and the kernel in which it happened. Slow: for finding errors.
inline constexpr const char *kSynchronousVariable = "ADJRT_CUDA_SYNCHRONOUS";

/// When this environment variable is 0, every command is put on the stream by itself each time, and no graph is made.
inline constexpr const char *kGraphsVariable = "ADJRT_CUDA_GRAPHS";

/// Calls put work on one stream (transfers: on one of two others) and return; `download` and `wait` wait for it. An
/// error that the GPU meets later (an address outside of memory, for instance) is returned by the next call that waits,
/// and by every call after it: the context is lost.
class CudaDevice final : public Device {
public:
  /// GPU `ordinal`. InvalidInput, saying what is missing, when there is no driver, no such GPU, or no cuBLASLt.
  static Expected<std::unique_ptr<Device>> make(int ordinal);
  ~CudaDevice() override;

  const std::string &name() const override { return context->properties().name; }
  Status open(const Module &module) override;
  Status reserve(std::uint64_t bytes) override;
  Status reserveHost(std::uint64_t bytes) override;
  Status upload(std::uint64_t offset, std::span<const std::byte> source) override;
  Status download(std::uint64_t offset, std::span<std::byte> destination) override;
  Status copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes) override;
  Status zero(std::uint64_t offset, std::uint64_t bytes) override;
  Status transfer(bool toHost, std::uint64_t offset, std::uint64_t hostOffset, std::uint64_t bytes) override;
  Status await(bool toHost, std::uint64_t behind) override;
  Status run(std::uint32_t index, const Bindings &bindings) override;
  /// Timed programs are waited for.
  void observeCommands(CommandObserver newObserver) override;
  Expected<double> timeAlone(const CommandPlace &place, const Bindings &bindings, int times) override;
  Status adamw(const AdamWStep &step) override;
  Status wait() override;
  /// All that is taken of the GPU's memory: context, libraries, kernels, workspace and arena, and what other processes
  /// hold on the same GPU.
  DeviceMemory memory() const override;
  bool countsHostMemory() const override { return false; }

private:
  CudaDevice() = default;
  CudaProgram::Machine machine() const;
  /// Later work waits for all transfers.
  Status awaitAll();
  Status inArena(std::uint64_t offset, std::uint64_t bytes) const;
  std::string label() const { return "cuda:" + std::to_string(context->ordinal()); }
  /// An error of a call that waits, with what it means.
  Status waited(Status status) const;
  /// The error with the device's name before it.
  Status named(Status status) const;
  void measure() const;

  // In the order in which they are made; the context goes last.
  std::unique_ptr<Context> context;
  std::unique_ptr<Staging> staging;
  std::unique_ptr<BlasLt> blas;
  std::unique_ptr<CudaArena> arena;
  std::unique_ptr<PinnedMemory> pinned;
  std::unique_ptr<TransferStreams> streams;
  /// To the device, to the host: of the program that runs, and of `transfer`.
  std::array<std::unique_ptr<TransferQueue>, 2> programQueues, ownQueues;
  std::optional<AdamW> optimizer;
  std::optional<KernelCode> kernels;
  std::vector<CudaProgram> programs;
  std::unique_ptr<CommandTimer> timer; ///< while there is an observer
  CommandObserver observer;
  bool synchronous = false, graphs = true;
  mutable DeviceMemory figures;
};

} // namespace adjrt::cuda

#endif
