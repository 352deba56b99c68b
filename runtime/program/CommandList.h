// A program of a module with its tables resolved: what every device walks through to run it. Walking neither allocates
// nor looks anything up.
#ifndef ADJRT_PROGRAM_COMMANDLIST_H
#define ADJRT_PROGRAM_COMMANDLIST_H

#include "adjrt/device/Device.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace adjrt::program {

/// A place in the arena, as docs/architecture.md defines it.
struct Reference {
  std::uint8_t kind;
  std::uint64_t offset, layerStride, rowStride;
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

/// See fb::Gemm; `dtype`: of A and B.
struct Gemm {
  Reference a, b, c;
  Count m, n, k;
  std::int64_t lda, ldb, ldc;
  bool transposeA, transposeB, accumulate;
  fb::DType dtype;
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

struct Command {
  std::string name; ///< the place in the spec
  std::variant<Dispatch, Gemm, Copy, Fill> operation;
};

struct Block {
  std::uint32_t layers;
  bool reverse;
  std::uint64_t miniSequence; ///< rows; 0: none
  std::vector<Command> commands;
};

/// What an address or a count depends on while a command runs.
struct Scope {
  std::array<std::uint64_t, 7> base; ///< arena offsets: see Bindings
  std::int64_t batch, tokens, rows;
  std::uint64_t layer = 0, firstRow = 0;
  std::uint32_t block = 0, command = 0; ///< where the command stands in the program

  /// The reference's offset from the arena's start.
  std::uint64_t offset(const Reference &ref) const {
    return base[ref.kind] + ref.offset + layer * ref.layerStride + firstRow * ref.rowStride;
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
  for (const Block &block : list) {
    const auto once = [&]() -> Status {
      for (scope.command = 0; scope.command < block.commands.size(); ++scope.command)
        ADJ_RETURN_IF_ERROR(visit(block.commands[scope.command], std::as_const(scope)));
      return {};
    };
    if (block.layers) {
      for (std::uint32_t i = 0; i < block.layers; ++i) {
        scope.layer = block.reverse ? block.layers - 1 - i : i;
        ADJ_RETURN_IF_ERROR(once());
      }
    } else if (block.miniSequence) {
      const auto length =
          static_cast<std::int64_t>(std::min<std::uint64_t>(block.miniSequence, static_cast<std::uint64_t>(allRows)));
      for (std::int64_t row = 0; row < allRows; row += length) {
        scope.firstRow = static_cast<std::uint64_t>(row);
        scope.rows = std::min(length, allRows - row);
        ADJ_RETURN_IF_ERROR(once());
      }
    } else {
      ADJ_RETURN_IF_ERROR(once());
    }
    scope.layer = scope.firstRow = 0;
    scope.rows = allRows;
    ++scope.block;
  }
  return {};
}

} // namespace adjrt::program

#endif
