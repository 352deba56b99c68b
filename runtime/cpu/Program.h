// A program of a module, ready to run on the CPU.
#ifndef ADJRT_CPU_PROGRAM_H
#define ADJRT_CPU_PROGRAM_H

#include "ThreadPool.h"
#include "adjrt/abi.h"
#include "program/CommandList.h"

#include <deque>
#include <optional>

namespace adjrt::cpu {

/// Whether ADJRT_CPU_LATE_TRANSFERS=1.
bool transfersAreLate();

class Program {
public:
  /// `kernels`: the entry point of each of the module's kernels; it must outlive the program.
  Program(const fb::Program &program, const std::vector<adj_cpu_kernel> &kernels)
      : commands(program), kernels(kernels), addresses(commands.mostOperands()) {}

  /// Run it once on the arena at `arena`, with host memory at `host`. `observe`, if any, is told of each command; it
  /// leaves `program` 0.
  void run(ThreadPool &pool, std::byte *arena, std::byte *host, const Bindings &bindings,
           const CommandObserver *observe = nullptr);

  /// Seconds of one pass over all that a run does of one command: see Device::timeAlone.
  double timeAlone(ThreadPool &pool, std::byte *arena, std::byte *host, const Bindings &bindings,
                   const CommandPlace &place, int times);
  bool holds(const CommandPlace &place) const { return commands.holds(place.block, place.command); }

private:
  /// Where a command runs.
  struct Machine {
    ThreadPool &pool;
    std::byte *arena, *host;
    const program::Scope &scope;

    std::byte *address(const program::Reference &ref) const {
      return (ref.kind == static_cast<std::uint8_t>(fb::BufferKind::host) ? host : arena) + scope.offset(ref);
    }
  };

  void run(const program::Dispatch &command, const Machine &machine);
  void run(const program::Gemm &command, const Machine &machine);
  void run(const program::Copy &command, const Machine &machine);
  void run(const program::Fill &command, const Machine &machine);
  /// Host memory is the device's own: a transfer is done in its place, as early as it may be, and there is nothing to
  /// await. With ADJRT_CPU_LATE_TRANSFERS=1 it is done as late as it may be, when it is awaited or the program ends: a
  /// program that computes the same both ways waits for all that it has to.
  void run(const program::Transfer &command, const Machine &machine);
  void run(const program::Await &command, const Machine &machine);

  struct LateTransfer {
    program::Copy rows;
    std::optional<program::Scope> scope; ///< none: an empty one
  };
  /// Does the transfers of a queue, but for the last `behind`.
  void settle(bool toHost, std::uint64_t behind, ThreadPool &pool, std::byte *arena, std::byte *host);

  program::CommandList commands;
  const std::vector<adj_cpu_kernel> &kernels;
  const bool late = transfersAreLate();
  std::deque<LateTransfer> queues[2]; ///< to the device, to the host
  std::vector<void *> addresses;      ///< of the operands of the dispatch that runs
};

} // namespace adjrt::cpu

#endif
