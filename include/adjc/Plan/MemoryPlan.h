//===- MemoryPlan.h - a place for every value of a module's programs ----------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_MEMORYPLAN_H
#define ADJC_PLAN_MEMORYPLAN_H

#include "adj/AdjOffload.h"
#include "adjc/Kernels/KernelGrid.h"
#include "adjc/Plan/Layouts.h"
#include "adjc/Plan/Plan.h"

#include "llvm/ADT/DenseMap.h"

#include <optional>
#include <vector>

namespace adjc {

/// Memory that values share, one after the other or as views. Sizes and offsets in bytes.
struct Storage {
  std::string name;
  mlir::adj::BufferKind kind = mlir::adj::BufferKind::Arena;
  uint64_t size = 0;        ///< of one layer's instance, for a whole shard
  uint64_t layerStride = 0; ///< 0 when it has one instance
  int64_t layers = 1;
  int64_t instances = 0; ///< layers take turns in so many; 0: each has its own
  bool host = false;     ///< in memory of the host, whatever `kind`
  uint64_t offset = 0;
  int64_t first = 0, last = 0; ///< lifetime, in positions (see ProgramPlan::positionOf), both included
  bool staged = false;         ///< its offset is that of a Staging array

  bool inArena() const { return kind == mlir::adj::BufferKind::Arena && !host; }
  uint64_t allLayers() const {
    return layers > 1 ? layerStride * static_cast<uint64_t>(instances > 0 ? instances : layers) : size;
  }
};

/// Where one value lies.
struct Place {
  unsigned storage = 0;
  uint64_t offset = 0;   ///< bytes from the start of the storage's instance
  int64_t rowStride = 1; ///< elements between rows
  uint64_t rowBytes = 0; ///< bytes from one row of a mini-sequence to the next; 0: the same place for all
};

/// A value that cannot be written where it is wanted and is copied there.
struct PlannedCopy {
  mlir::Operation *before = nullptr; ///< the copy comes before this operation ...
  mlir::Block *atStart = nullptr;    ///< ... or at the start of this block
  mlir::Value source;
  Place destination;
};

/// One program's values, placed.
struct ProgramPlan {
  mlir::adj::ProgramOp program;
  /// The program, also where the plan is constant.
  mlir::Operation *op() const { return mlir::adj::ProgramOp(program).getOperation(); }
  std::vector<Storage> storages;
  llvm::DenseMap<mlir::Value, Place> places;
  std::vector<PlannedCopy> copies;
  /// Operations in program order; a repeat or mini_sequences has a first and a last position around those of its body.
  llvm::DenseMap<mlir::Operation *, int64_t> firstPosition, lastPosition;
};

/// Buffers that the session reads or writes; offsets in the fixed part.
struct StagingOffsets {
  uint64_t tokens = 0, targets = 0, resets = 0, lossScale = 0, losses = 0;
  uint64_t bytes = 0; ///< of all five, they come first in the fixed part
};

struct MemoryPlan {
  Plan plan;
  Layout parameters, workingCopies, carries;
  StagingOffsets staging;
  uint64_t hostBytes = 0;  ///< of the programs' host part: what is offloaded
  uint64_t fixedBytes = 0; ///< the larger of the programs' arenas, staging and workspace included
  /// What launches of one dispatch leave for each other (KernelLaunches), in the fixed part.
  uint64_t workspaceOffset = 0, workspaceBytes = 0;
  std::vector<ProgramPlan> programs;
};

/// Finds a place for every value of the module's programs, whose operations must be in the form that `adj-form-kernels`
/// leaves. Does not change the module. Fails with a diagnostic at the operation that has no place.
mlir::FailureOr<MemoryPlan> planMemory(mlir::ModuleOp module, const Plan &plan);

/// The same, for who plans one module many times: `launches` are those of its kernels on the target's GPU (launchesOf),
/// which depend on no plan, and take longer to find than all places.
mlir::FailureOr<MemoryPlan> planMemory(mlir::ModuleOp module, const Plan &plan,
                                       llvm::ArrayRef<KernelLaunches> launches);
/// The launches of every kernel on a GPU; none for a plan for the CPU, where each dispatch is one.
mlir::FailureOr<std::vector<KernelLaunches>> launchesOf(mlir::ModuleOp module, bool gpu);

/// Rewrites the programs to run on the planned buffers.
mlir::LogicalResult applyMemoryPlan(mlir::ModuleOp module, const MemoryPlan &memory);

/// Whether the kernel computes every element of output `output` from the element of input `input` at the same place
/// (and nothing else of that input), so that both may share a buffer.
bool canRunInPlace(mlir::adj::KernelOp kernel, unsigned input, unsigned output);

} // namespace adjc

#endif
