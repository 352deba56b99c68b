// A program of a module, ready to run on a GPU.
#ifndef ADJRT_CUDA_CUDAPROGRAM_H
#define ADJRT_CUDA_CUDAPROGRAM_H

#include "BlasLt.h"
#include "CommandTimer.h"
#include "KernelCode.h"
#include "Replay.h"
#include "TransferQueue.h"
#include "program/CommandList.h"

namespace adjrt::cuda {

class CudaProgram {
public:
  /// InvalidInput, naming the command, for one that no GPU command does.
  static Expected<CudaProgram> make(const fb::Program &program);

  /// What commands run with.
  struct Machine {
    const Context &context;
    const KernelCode &kernels;
    BlasLt &blas;
    const TransferStreams &streams;
    std::array<TransferQueue *, 2> queues; ///< of programs: to the device, to the host
    Address arena;
    std::byte *host;               ///< pinned memory
    bool synchronous;              ///< wait for each command, so that an error in it is returned with its name
    CommandTimer *timer = nullptr; ///< is told of each command
    bool graphs = true;            ///< replay runs that are alike from a graph, if commands are not waited for or timed
  };

  /// Put all commands on the stream, one by one or recorded as a graph. Errors name program, command and kernel, as far
  /// as they are met before the GPU has the graph.
  Status run(const Machine &machine, const Bindings &bindings);

  /// Put one pass after the other over all that a run does of one command on the stream, from a graph if those are
  /// used, and measure them: see Device::timeAlone.
  Expected<double> timeAlone(const Machine &machine, const Bindings &bindings, const CommandPlace &place, int times);
  bool holds(const CommandPlace &place) const { return commands.holds(place.block, place.command); }

private:
  CudaProgram(const fb::Program &program);

  /// Whether a command that is met is wanted.
  using Filter = std::function<bool(const program::Scope &)>;
  Status runEach(const Machine &machine, const Bindings &bindings, const Filter &wanted = nullptr);
  /// Add a command to a graph.
  Status add(StreamGraph &graph, const program::Command &command, const Machine &machine, const program::Scope &scope);
  Status runTransfer(const program::Transfer &command, const Machine &machine, const program::Scope &scope,
                     TransferQueue &queue);
  Status record(const Machine &machine, const Bindings &bindings, Recordings::Entry &entry);
  Status replay(const Machine &machine, const Bindings &bindings, Recording &recording);
  Expected<KernelLaunch> prepare(const program::Dispatch &command, const Machine &machine, const program::Scope &scope);
  Status run(const program::Dispatch &command, const Machine &machine, const program::Scope &scope);
  Status run(const program::Gemm &command, const Machine &machine, const program::Scope &scope);
  Status run(const program::Copy &command, const Machine &machine, const program::Scope &scope);
  Status run(const program::Fill &command, const Machine &machine, const program::Scope &scope);
  /// The copy that a transfer is; null where there is no such layer.
  static std::function<Status(Stream)> copyOf(const program::Transfer &command, const Machine &machine,
                                              const program::Scope &scope);
  Error annotate(const Error &error, const Machine &machine, const program::Command &command,
                 const program::Scope &scope) const;

  std::string name;
  program::CommandList commands;
  bool recordable = true; ///< only kernels use slots
  Recordings recordings;
  std::vector<std::uint64_t> arguments; ///< of the kernel that is launched
  std::vector<void *> pointers;         ///< to them
};

} // namespace adjrt::cuda

#endif
