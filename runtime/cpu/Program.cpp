#include "Program.h"
#include "Gemm.h"

#include <algorithm>
#include <cstring>

namespace adjrt::cpu {
namespace {

/// Bytes of memory traffic worth handing to a thread.
constexpr std::uint64_t kTrafficChunk = std::uint64_t(1) << 20;
/// Ranges of groups per thread: some slack for groups of unequal cost.
constexpr std::int64_t kRangesPerThread = 4;

} // namespace

Program::Reference Program::resolve(const fb::Program &program, const fb::BufferRef &ref) {
  const fb::Buffer &buffer = *program.buffers()->Get(ref.buffer());
  return {static_cast<std::uint8_t>(buffer.kind()), buffer.offset() + ref.offset(), buffer.layer_stride(),
          ref.row_stride()};
}

Program::Count Program::resolve(const fb::Extent &extent) { return {extent.unit(), extent.factor(), extent.block()}; }

Program::Program(const fb::Program &program, const std::vector<adj_cpu_kernel> &kernels) {
  if (!program.blocks())
    return;
  std::size_t mostOperands = 0;
  for (const fb::Block *source : *program.blocks()) {
    Block &block = blocks.emplace_back(Block{source->layers(), source->reverse(), source->mini_sequence(), {}});
    if (!source->commands())
      continue;
    for (const fb::Command *command : *source->commands()) {
      if (const auto *dispatch = command->operation_as_Dispatch()) {
        Dispatch result{kernels[dispatch->kernel()], {}, resolve(*dispatch->groups())};
        for (std::uint32_t i = 0; dispatch->operands() && i < dispatch->operands()->size(); ++i)
          result.operands.push_back(resolve(program, *dispatch->operands()->Get(i)));
        mostOperands = std::max(mostOperands, result.operands.size());
        block.commands.emplace_back(std::move(result));
      } else if (const auto *gemm = command->operation_as_Gemm()) {
        block.commands.emplace_back(Gemm{resolve(program, *gemm->a()), resolve(program, *gemm->b()),
                                         resolve(program, *gemm->c()), resolve(*gemm->m()), resolve(*gemm->n()),
                                         resolve(*gemm->k()), gemm->lda(), gemm->ldb(), gemm->ldc(),
                                         gemm->transpose_a(), gemm->transpose_b(), gemm->accumulate()});
      } else if (const auto *copy = command->operation_as_Copy()) {
        block.commands.emplace_back(Copy{resolve(program, *copy->source()), resolve(program, *copy->destination()),
                                         resolve(*copy->count()), copy->width(), copy->source_stride(),
                                         copy->destination_stride()});
      } else if (const auto *fill = command->operation_as_Fill()) {
        block.commands.emplace_back(Fill{resolve(program, *fill->destination()), resolve(*fill->bytes())});
      }
    }
  }
  addresses.resize(mostOperands);
}

std::int64_t Program::Scope::value(const Count &count) const {
  const std::int64_t units[] = {1, batch, tokens, rows};
  return count.factor * ((units[static_cast<int>(count.unit)] + count.block - 1) / count.block);
}

void Program::run(ThreadPool &pool, std::byte *arena, const Bindings &bindings) {
  Scope scope{pool, {}, 0, 0, bindings.batch, bindings.tokens, bindings.batch * bindings.tokens};
  for (std::size_t kind = 0; kind < bindings.base.size(); ++kind)
    scope.base[kind] = arena + bindings.base[kind];
  for (const Block &block : blocks)
    runBlock(block, scope);
}

void Program::runBlock(const Block &block, Scope &scope) {
  const auto once = [&] {
    for (const auto &command : block.commands)
      std::visit([&](const auto &operation) { (*this)(operation, scope); }, command);
  };
  const std::int64_t allRows = scope.rows;
  if (block.layers) {
    for (std::uint32_t i = 0; i < block.layers; ++i) {
      scope.layer = block.reverse ? block.layers - 1 - i : i;
      once();
    }
  } else if (block.miniSequence) {
    const auto length =
        static_cast<std::int64_t>(std::min<std::uint64_t>(block.miniSequence, static_cast<std::uint64_t>(allRows)));
    for (std::int64_t row = 0; row < allRows; row += length) {
      scope.firstRow = static_cast<std::uint64_t>(row);
      scope.rows = std::min(length, allRows - row);
      once();
    }
  } else {
    once();
  }
  scope.layer = scope.firstRow = 0;
  scope.rows = allRows;
}

void Program::operator()(const Dispatch &command, const Scope &scope) {
  for (std::size_t i = 0; i < command.operands.size(); ++i)
    addresses[i] = scope.address(command.operands[i]);
  const std::int64_t groups = scope.value(command.groups);
  // How groups are put into ranges may depend on the threads: each group is computed the same way in any range.
  const std::int64_t ranges = std::min(groups, scope.pool.threads() == 1 ? 1 : kRangesPerThread * scope.pool.threads());
  scope.pool.run(static_cast<std::uint64_t>(ranges), [&](std::uint64_t task) {
    const auto range = static_cast<std::int64_t>(task);
    const std::int64_t share = groups / ranges, longer = groups % ranges;
    const std::int64_t first = range * share + std::min(range, longer);
    const adj_kernel_args args{addresses.data(), scope.batch, scope.tokens,
                               scope.rows,       first,       first + share + (range < longer)};
    command.kernel(&args);
  });
}

void Program::operator()(const Gemm &command, const Scope &scope) {
  const GemmShape shape{
      scope.value(command.m), scope.value(command.n), scope.value(command.k), command.lda, command.ldb, command.ldc,
      command.transposeA,     command.transposeB,     command.accumulate};
  gemm(scope.pool, shape, reinterpret_cast<const float *>(scope.address(command.a)),
       reinterpret_cast<const float *>(scope.address(command.b)), reinterpret_cast<float *>(scope.address(command.c)));
}

void Program::operator()(const Copy &command, const Scope &scope) {
  const std::byte *source = scope.address(command.source);
  std::byte *destination = scope.address(command.destination);
  const auto rows = static_cast<std::uint64_t>(scope.value(command.rows));
  const auto move = [&](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t row = begin; row < end; ++row)
      std::memmove(destination + row * command.destinationStride, source + row * command.sourceStride, command.width);
  };
  const std::byte *sourceEnd = source + (rows - 1) * command.sourceStride + command.width;
  const std::byte *destinationEnd = destination + (rows - 1) * command.destinationStride + command.width;
  const bool apart = sourceEnd <= destination || destinationEnd <= source;
  const std::uint64_t rowsPerTask =
      std::max<std::uint64_t>(1, kTrafficChunk / std::max<std::uint64_t>(1, command.width));
  // Rows that overlap, among themselves or with the source, are moved in order.
  if (!apart || command.destinationStride < command.width)
    return move(0, rows);
  scope.pool.run((rows + rowsPerTask - 1) / rowsPerTask,
                 [&](std::uint64_t task) { move(task * rowsPerTask, std::min(rows, (task + 1) * rowsPerTask)); });
}

void Program::operator()(const Fill &command, const Scope &scope) {
  std::byte *destination = scope.address(command.destination);
  const auto bytes = static_cast<std::uint64_t>(scope.value(command.bytes));
  scope.pool.run((bytes + kTrafficChunk - 1) / kTrafficChunk, [&](std::uint64_t task) {
    std::memset(destination + task * kTrafficChunk, 0, std::min(kTrafficChunk, bytes - task * kTrafficChunk));
  });
}

} // namespace adjrt::cpu
