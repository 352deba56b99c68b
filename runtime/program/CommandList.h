// A program of a module with its tables resolved: what every device walks through to run it. Walking neither allocates
// nor looks anything up.
#ifndef ADJRT_PROGRAM_COMMANDLIST_H
#define ADJRT_PROGRAM_COMMANDLIST_H

#include "adjrt/device/Device.h"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace adjrt::program {

/// What a device answers when asked for a command that its module does not have.
tl::unexpected<Error> noSuchCommand(const CommandPlace &place);

/// A place in the arena or in host memory, as docs/architecture.md defines it.
struct Reference {
  std::uint8_t kind;
  std::uint64_t offset, layerStride, rowStride;
  std::uint32_t instances = 0; ///< layers take turns in that many places; 0: each has its own
};

/// A count known when the program runs: factor * ceil(value(unit) / block).
struct Count {
  fb::Unit unit;
  std::int64_t factor, block;
};

struct Dispatch {
  std::uint32_t kernel; ///< index in the module's kernels
  std::vector<Reference> operands;
  Count groups;
};

/// See fb::Gemm; `dtype`: of A and B, `output`: of C.
struct Gemm {
  Reference a, b, c;
  Count m, n, k;
  std::int64_t lda, ldb, ldc;
  bool transposeA, transposeB, accumulate;
  fb::DType dtype, output;
};

struct Copy {
  Reference source, destination;
  Count rows;
  std::uint64_t width, sourceStride, destinationStride; ///< bytes
};

struct Fill {
  Reference destination;
  Count bytes;
};

/// Rows to the host or from it, beside the commands after it; see fb::Transfer.
struct Transfer {
  Copy rows;
  bool toHost;
  std::int32_t layerShift;
};

/// Waits for transfers of one queue, but the last `behind`.
struct Await {
  bool toHost;
  std::uint32_t behind;
};

struct Command {
  std::string name; ///< the place in the spec
  std::variant<Dispatch, Gemm, Copy, Fill, Transfer, Await> operation;
};

struct Block {
  std::uint32_t layers;
  bool reverse, joined;       ///< joined: in the same pass over the layers as the block before
  std::uint64_t miniSequence; ///< rows; 0: none
  std::vector<Command> commands;
};

/// What an address or a count depends on while a command runs.
struct Scope {
  std::array<std::uint64_t, 9> base; ///< see Bindings
  std::int64_t batch, tokens, rows;
  std::uint64_t layer = 0, firstRow = 0;
  std::uint32_t layers = 1;             ///< of the stack that the command is in
  std::uint32_t block = 0, command = 0; ///< where the command stands in the program

  /// The reference's offset from the start of the arena, or of host memory.
  std::uint64_t offset(const Reference &ref) const {
    const std::uint64_t place = ref.instances ? layer % ref.instances : layer;
    return base[ref.kind] + ref.offset + place * ref.layerStride + firstRow * ref.rowStride;
  }
  /// Bytes that a transfer moves; 0 when it is empty.
  std::uint64_t bytes(const Transfer &transfer) const {
    return shifted(transfer.layerShift) ? transfer.rows.width * static_cast<std::uint64_t>(value(transfer.rows.rows))
                                        : 0;
  }
  /// Where a transfer's places are taken: `shift` layers on. None where the stack has no such layer.
  std::optional<Scope> shifted(std::int32_t shift) const {
    const std::int64_t there = static_cast<std::int64_t>(layer) + shift;
    if (there < 0 || there >= static_cast<std::int64_t>(layers))
      return std::nullopt;
    Scope result = *this;
    result.layer = static_cast<std::uint64_t>(there);
    return result;
  }
  std::int64_t value(const Count &count) const {
    const std::int64_t units[] = {1, batch, tokens, rows};
    return count.factor * ((units[static_cast<int>(count.unit)] + count.block - 1) / count.block);
  }
};

class CommandList {
public:
  /// Resolve a verified program.
  explicit CommandList(const fb::Program &program);

  const std::vector<Block> &blocks() const { return list; }
  bool holds(std::uint32_t block, std::uint32_t command) const {
    return block < list.size() && command < list[block].commands.size();
  }
  /// The largest number of operands of a dispatch.
  std::size_t mostOperands() const { return operands; }

  /// Call `visit(command, scope)`, which returns a Status, for every command in the order in which they run, until one
  /// fails.
  template <typename Visit> Status walk(const Bindings &bindings, Visit &&visit) const;

private:
  std::vector<Block> list;
  std::size_t operands = 0;
};

template <typename Visit> Status CommandList::walk(const Bindings &bindings, Visit &&visit) const {
  Scope scope{bindings.base, bindings.batch, bindings.tokens, bindings.batch * bindings.tokens};
  const std::int64_t allRows = scope.rows;
  const auto runBlock = [&](const Block &block) -> Status {
    const std::uint64_t most = static_cast<std::uint64_t>(allRows);
    const auto length = static_cast<std::int64_t>(block.miniSequence ? std::min(block.miniSequence, most) : most);
    for (std::int64_t row = 0; row < allRows; row += length) {
      scope.firstRow = static_cast<std::uint64_t>(row);
      scope.rows = std::min(length, allRows - row);
      for (scope.command = 0; scope.command < block.commands.size(); ++scope.command)
        ADJ_RETURN_IF_ERROR(visit(block.commands[scope.command], std::as_const(scope)));
    }
    return {};
  };
  for (std::uint32_t first = 0, end = 0; first < list.size(); first = end) {
    for (end = first + 1; end < list.size() && list[end].joined;)
      ++end;
    const std::uint32_t layers = scope.layers = std::max(list[first].layers, 1u);
    for (std::uint32_t i = 0; i < layers; ++i) {
      scope.layer = list[first].reverse ? layers - 1 - i : i;
      for (scope.block = first; scope.block < end; ++scope.block)
        ADJ_RETURN_IF_ERROR(runBlock(list[scope.block]));
    }
  }
  return {};
}

} // namespace adjrt::program

#endif
