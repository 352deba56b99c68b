// A program of a module, ready to run on the CPU.
#ifndef ADJRT_CPU_PROGRAM_H
#define ADJRT_CPU_PROGRAM_H

#include "ThreadPool.h"
#include "adjrt/abi.h"
#include "program/CommandList.h"

namespace adjrt::cpu {

class Program {
public:
  /// `kernels`: the entry point of each of the module's kernels; it must outlive the program.
  Program(const fb::Program &program, const std::vector<adj_cpu_kernel> &kernels)
      : commands(program), kernels(kernels), addresses(commands.mostOperands()) {}

  /// Run it once on the arena at `arena`, with host memory at `host`. `observe`, if any, is told of each command; it
  /// leaves `program` 0.
  void run(ThreadPool &pool, std::byte *arena, std::byte *host, const Bindings &bindings,
           const CommandObserver *observe = nullptr);

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
  /// Host memory is the device's own: a transfer is done in its place, and there is nothing to await.
  void run(const program::Transfer &command, const Machine &machine);
  void run(const program::Await &, const Machine &) {}

  program::CommandList commands;
  const std::vector<adj_cpu_kernel> &kernels;
  std::vector<void *> addresses; ///< of the operands of the dispatch that runs
};

} // namespace adjrt::cpu

#endif
