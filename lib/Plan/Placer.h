//===- Placer.h - decides which values of a program share memory --------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_PLAN_PLACER_H
#define ADJC_LIB_PLAN_PLACER_H

#include "adjc/Plan/MemoryPlan.h"
#include "adjc/Plan/Sizes.h"
#include "ssm/SsmOps.h"

#include "mlir/IR/SymbolTable.h"

namespace adjc {

/// A value lies inside (or in the place of) another one.
struct Alias {
  mlir::Value of;
  uint64_t offset = 0;    ///< bytes
  bool rowOfMini = false; ///< it is the current mini-sequence's rows of `of`
};

/// Where a value lies relative to the value that owns its memory.
struct Root {
  mlir::Value value;
  uint64_t offset = 0;
  bool rowOfMini = false;
};

/// Places the values of one program. The steps, in this order: number the operations; find who shares memory with whom
/// (`linkViews`, `linkResults`, `linkLoops`, `linkInPlace`), noting a copy wherever sharing is not possible; give every
/// owner a storage with the lifetime of all that lies in it (`makeStorages`). Offsets in the arena are given by the
/// caller.
class Placer {
public:
  Placer(mlir::adj::ProgramOp program, mlir::SymbolTable &symbols, const MemoryPlan &memory)
      : symbols(symbols), memory(memory) {
    plan.program = program;
  }

  mlir::FailureOr<ProgramPlan> run();

private:
  // Placer.cpp: numbering and queries
  mlir::LogicalResult number(mlir::Block &block);
  Root rootOf(mlir::Value value) const;
  bool isComputed(mlir::Value value) const; ///< by a dispatch or gemm
  bool isFree(mlir::Value value) const;     ///< computed, and not yet bound to a place
  /// The position until which `use` needs its value, when that lives in `block`.
  int64_t usePosition(mlir::OpOperand &use, mlir::Block *block) const;
  /// Values that lie (partly) in the memory of `root`.
  llvm::SmallVector<mlir::Value> membersOf(mlir::Value root) const;
  mlir::adj::KernelOp kernelOf(mlir::adj::DispatchOp dispatch) const;
  void link(mlir::Value value, mlir::Value to, uint64_t offset = 0, bool rowOfMini = false) {
    aliases[value] = {to, offset, rowOfMini};
  }

  // PlacerLinks.cpp: who shares memory with whom
  mlir::LogicalResult linkViews();
  mlir::LogicalResult linkResults();
  mlir::LogicalResult linkLoops();
  void linkStacked(mlir::ssm::RepeatOp repeat);
  void linkOffload(mlir::adj::OffloadOp offload);
  mlir::LogicalResult linkNext(mlir::ssm::RepeatOp repeat);
  void linkInits(mlir::ssm::RepeatOp repeat);
  void linkInPlace();
  bool deadAfter(mlir::Value root, mlir::Operation *op) const;

  // PlacerStorages.cpp: storages, lifetimes, places
  mlir::LogicalResult makeStorages();
  mlir::FailureOr<Storage> storageOf(mlir::Value root);
  void extendLifetime(Storage &storage, mlir::Value value) const;
  ShardSizes sizesFor(mlir::Value value) const;
  mlir::LogicalResult placeCopies();

  /// A copy whose destination is known as a value (and an offset in it), or as a carry.
  struct WantedCopy {
    PlannedCopy copy;
    mlir::Value destination;
    uint64_t offset = 0;
    mlir::adj::HandOverOp handOver;
  };

  mlir::SymbolTable &symbols;
  const MemoryPlan &memory;
  ProgramPlan plan;
  llvm::SmallVector<mlir::Value> values; ///< all tensors, in program order
  llvm::SmallVector<mlir::Operation *> operations;
  llvm::DenseMap<mlir::Value, Alias> aliases;
  llvm::DenseMap<mlir::Value, mlir::adj::HandOverOp> handedOver; ///< owners written straight into a carry
  llvm::DenseMap<mlir::Value, mlir::StringRef> refreshed;        ///< owners that are a parameter's working copy
  llvm::DenseMap<mlir::Value, mlir::ssm::RepeatOp> tape;         ///< owners with an instance per layer
  llvm::DenseSet<mlir::Value> losses;                            ///< written straight into the staging array
  std::vector<WantedCopy> wanted;
  llvm::DenseMap<mlir::Operation *, unsigned> handOverStorages;
};

} // namespace adjc

#endif
