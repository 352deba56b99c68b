// A program of a module with its tables resolved: running it neither allocates nor looks anything up.
#ifndef ADJRT_CPU_PROGRAM_H
#define ADJRT_CPU_PROGRAM_H

#include "ThreadPool.h"
#include "adjrt/abi.h"
#include "adjrt/device/Device.h"

#include <variant>
#include <vector>

namespace adjrt::cpu {

class Program {
public:
  /// Resolve a verified program; `kernels`: the entry point of each of the module's kernels.
  Program(const fb::Program &program, const std::vector<adj_cpu_kernel> &kernels);

  /// Run it once on the arena at `arena`.
  void run(ThreadPool &pool, std::byte *arena, const Bindings &bindings);

private:
  struct Reference {
    std::uint8_t kind;
    std::uint64_t offset, layerStride, rowStride;
  };
  struct Count {
    fb::Unit unit;
    std::int64_t factor, block;
  };
  struct Dispatch {
    adj_cpu_kernel kernel;
    std::vector<Reference> operands;
    Count groups;
  };
  struct Gemm {
    Reference a, b, c;
    Count m, n, k;
    std::int64_t lda, ldb, ldc;
    bool transposeA, transposeB, accumulate;
  };
  struct Copy {
    Reference source, destination;
    Count rows;
    std::uint64_t width, sourceStride, destinationStride;
  };
  struct Fill {
    Reference destination;
    Count bytes;
  };
  struct Block {
    std::uint32_t layers;
    bool reverse;
    std::uint64_t miniSequence;
    std::vector<std::variant<Dispatch, Gemm, Copy, Fill>> commands;
  };

  /// What an address or a count depends on while a command runs.
  struct Scope {
    ThreadPool &pool;
    std::byte *base[7];
    std::uint64_t layer = 0, firstRow = 0;
    std::int64_t batch, tokens, rows;

    std::byte *address(const Reference &ref) const {
      return base[ref.kind] + ref.offset + layer * ref.layerStride + firstRow * ref.rowStride;
    }
    std::int64_t value(const Count &count) const;
  };

  void runBlock(const Block &block, Scope &scope);
  void operator()(const Dispatch &command, const Scope &scope);
  void operator()(const Gemm &command, const Scope &scope);
  void operator()(const Copy &command, const Scope &scope);
  void operator()(const Fill &command, const Scope &scope);

  static Reference resolve(const fb::Program &program, const fb::BufferRef &ref);
  static Count resolve(const fb::Extent &extent);

  std::vector<Block> blocks;
  std::vector<void *> addresses; ///< of the operands of the dispatch that runs
};

} // namespace adjrt::cpu

#endif
