//===- KernelGrid.h - how a kernel's work is cut into groups ------------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_KERNELGRID_H
#define ADJC_KERNELS_KERNELGRID_H

#include "adj/AdjOps.h"
#include <optional>
#include <string>

namespace adjc {

/// What runs a kernel: on the CPU one thread per group, lanes in vectors; on a GPU one block of threads per group, a
/// lane per thread.
enum class KernelTarget { Cpu, Gpu };

/// What a group count grows with; the values are those of adjrt::fb::Unit. Chunks are of `block` tokens of each
/// sequence: batch times Tokens, which the module's writer, who knows the batch, makes of them.
enum class GridUnit : int8_t { One = 0, Batch = 1, Tokens = 2, Rows = 3, Chunks = 4 };

/// A dispatch has factor * ceil(value(unit) / block) groups (runtime/schema/adjm.fbs, Extent). It depends on shapes
/// only, never on the number of threads: that is what makes equal runs give equal bits.
struct KernelGrid {
  GridUnit unit = GridUnit::One;
  int64_t block = 1;
  int64_t factor = 1;
  /// Threads that run a group together: a multiple of 32 on a GPU, 1 on the CPU.
  int64_t threads = 1;
  /// Blocks that a GPU's processor shall hold at once: bounds the registers of a thread. 0: as many as come out.
  int64_t minimumBlocks = 0;
};

/// Threads of a block, where a kernel has no reason for another number.
inline constexpr int64_t gpuThreads = 256;
/// Threads that run in step.
inline constexpr int64_t warpThreads = 32;
/// The most bytes that one access of a thread takes.
inline constexpr int64_t widestAccess = 16;

/// A grid of `block` elements of `unit` per group, times `factor`, with the target's usual number of threads.
KernelGrid makeGrid(KernelTarget target, GridUnit unit, int64_t block = 1, int64_t factor = 1);

/// One launch of a dispatch that is several, one after the other.
struct KernelLaunch {
  std::string suffix; ///< of the function's name
  KernelGrid grid;
};

/// All launches of a dispatch.
struct KernelLaunches {
  llvm::SmallVector<KernelLaunch> list;
  /// Floats that they leave for each other, per sequence and `workspaceTokens` tokens: the last operand, where not 0.
  int64_t workspace = 0, workspaceTokens = 1;

  uint64_t workspaceBytes(int64_t batch, int64_t tokens) const {
    return static_cast<uint64_t>(workspace * batch * ((tokens + workspaceTokens - 1) / workspaceTokens)) * 4;
  }
};

/// The groups of a dispatch of `kernel`. Fails, with a diagnostic at the kernel, when no emitter knows its body.
llvm::FailureOr<KernelGrid> getKernelGrid(mlir::adj::KernelOp kernel, KernelTarget target);
/// The launches of its dispatches: one with that grid, or several. Fails likewise.
llvm::FailureOr<KernelLaunches> getKernelLaunches(mlir::adj::KernelOp kernel, KernelTarget target);
KernelLaunches getKernelLaunches(mlir::adj::KernelOp kernel, mlir::Operation *computation, const KernelGrid &grid,
                                 KernelTarget target);

/// Attribute of a kernel for a GPU, from `adj-plan-memory`: bytes that each operand's address is a multiple of, inputs
/// first. Without it, an element's size is all that is known.
inline constexpr llvm::StringLiteral alignmentsAttribute = "alignments";

/// For each output of `kernel`, the number of the input whose buffer it takes (same address, same strides), if any.
/// `adj-plan-memory` must give the two one buffer: the kernel reads the input through the output's operand. This is
/// so for adj.cross_entropy's cotangent (the logits, stored alike) and for a linalg.generic whose `outs` is a kernel
/// argument. No other operands of a dispatch may overlap, except inputs among themselves.
llvm::SmallVector<std::optional<unsigned>> getTiedInputs(mlir::adj::KernelOp kernel);

} // namespace adjc

#endif
