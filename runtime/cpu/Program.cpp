#include "Program.h"
#include "Bf16Gemm.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace adjrt::cpu {
namespace {

/// Bytes of memory traffic worth handing to a thread.
constexpr std::uint64_t kTrafficChunk = std::uint64_t(1) << 20;
/// Ranges of groups per thread: some slack for groups of unequal cost.
constexpr std::int64_t kRangesPerThread = 4;

} // namespace

bool transfersAreLate() {
  const char *text = std::getenv("ADJRT_CPU_LATE_TRANSFERS");
  return text && std::string_view(text) == "1";
}

void Program::run(ThreadPool &pool, std::byte *arena, std::byte *host, const Bindings &bindings,
                  const CommandObserver *observe) {
  const auto now = [&] {
    return observe ? std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count() : 0;
  };
  // Nothing that runs here can fail.
  (void)commands.walk(bindings, [&](const program::Command &command, const program::Scope &scope) -> Status {
    const double begin = now();
    std::visit([&](const auto &operation) { run(operation, Machine{pool, arena, host, scope}); }, command.operation);
    if (observe) {
      CommandTiming timing{0,          scope.block, scope.command, scope.layer, scope.batch, scope.tokens,
                           scope.rows, begin,       now()};
      if (const auto *transfer = std::get_if<program::Transfer>(&command.operation)) {
        timing.queue = transfer->toHost ? Queue::ToHost : Queue::ToDevice;
        timing.bytes = scope.bytes(*transfer);
      }
      (*observe)(timing);
    }
    return {};
  });
  for (const bool toHost : {true, false})
    settle(toHost, 0, pool, arena, host);
}

double Program::timeAlone(ThreadPool &pool, std::byte *arena, std::byte *host, const Bindings &bindings,
                          const CommandPlace &place, int times) {
  const auto pass = [&] {
    (void)commands.walk(bindings, [&](const program::Command &command, const program::Scope &scope) -> Status {
      if (scope.block == place.block && scope.command == place.command)
        std::visit([&](const auto &operation) { run(operation, Machine{pool, arena, host, scope}); },
                   command.operation);
      return {};
    });
    for (const bool toHost : {true, false})
      settle(toHost, 0, pool, arena, host);
  };
  pass();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i)
    pass();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / times;
}

void Program::run(const program::Dispatch &command, const Machine &machine) {
  const program::Scope &scope = machine.scope;
  for (std::size_t i = 0; i < command.operands.size(); ++i)
    addresses[i] = machine.address(command.operands[i]);
  const std::int64_t groups = scope.value(command.groups);
  const adj_cpu_kernel kernel = kernels[command.kernel];
  // How groups are put into ranges may depend on the threads: each group is computed the same way in any range.
  const std::int64_t ranges =
      std::min(groups, machine.pool.threads() == 1 ? 1 : kRangesPerThread * machine.pool.threads());
  machine.pool.run(static_cast<std::uint64_t>(ranges), [&](std::uint64_t task) {
    const auto range = static_cast<std::int64_t>(task);
    const std::int64_t share = groups / ranges, longer = groups % ranges;
    const std::int64_t first = range * share + std::min(range, longer);
    const adj_kernel_args args{addresses.data(), scope.batch, scope.tokens,
                               scope.rows,       first,       first + share + (range < longer)};
    kernel(&args);
  });
}

void Program::run(const program::Gemm &command, const Machine &machine) {
  const program::Scope &scope = machine.scope;
  const GemmShape shape{
      scope.value(command.m), scope.value(command.n), scope.value(command.k), command.lda, command.ldb, command.ldc,
      command.transposeA,     command.transposeB,     command.accumulate};
  if (command.dtype == fb::DType::bf16)
    return gemmBf16(machine.pool, shape, reinterpret_cast<const std::uint16_t *>(machine.address(command.a)),
                    reinterpret_cast<const std::uint16_t *>(machine.address(command.b)), machine.address(command.c),
                    command.output == fb::DType::bf16);
  gemm(machine.pool, shape, reinterpret_cast<const float *>(machine.address(command.a)),
       reinterpret_cast<const float *>(machine.address(command.b)),
       reinterpret_cast<float *>(machine.address(command.c)));
}

void Program::run(const program::Copy &command, const Machine &machine) {
  const std::byte *source = machine.address(command.source);
  std::byte *destination = machine.address(command.destination);
  const auto rows = static_cast<std::uint64_t>(machine.scope.value(command.rows));
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
  machine.pool.run((rows + rowsPerTask - 1) / rowsPerTask,
                   [&](std::uint64_t task) { move(task * rowsPerTask, std::min(rows, (task + 1) * rowsPerTask)); });
}

void Program::run(const program::Transfer &command, const Machine &machine) {
  queues[command.toHost].push_back({command.rows, machine.scope.shifted(command.layerShift)});
  if (!late)
    settle(command.toHost, 0, machine.pool, machine.arena, machine.host);
}

void Program::run(const program::Await &command, const Machine &machine) {
  settle(command.toHost, command.behind, machine.pool, machine.arena, machine.host);
}

void Program::settle(bool toHost, std::uint64_t behind, ThreadPool &pool, std::byte *arena, std::byte *host) {
  for (auto &queue = queues[toHost]; queue.size() > behind; queue.pop_front())
    if (const LateTransfer &transfer = queue.front(); transfer.scope)
      run(transfer.rows, Machine{pool, arena, host, *transfer.scope});
}

void Program::run(const program::Fill &command, const Machine &machine) {
  std::byte *destination = machine.address(command.destination);
  const auto bytes = static_cast<std::uint64_t>(machine.scope.value(command.bytes));
  machine.pool.run((bytes + kTrafficChunk - 1) / kTrafficChunk, [&](std::uint64_t task) {
    std::memset(destination + task * kTrafficChunk, 0, std::min(kTrafficChunk, bytes - task * kTrafficChunk));
  });
}

} // namespace adjrt::cpu
