//===- ThreadMemory.h - shared memory of which each thread has its own part ---------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_THREADMEMORY_H
#define ADJC_KERNELS_TILE_THREADMEMORY_H

#include "adjc/Kernels/KernelBuilder.h"

namespace adjc::scan {

/// Slots of `count` values for each thread of a block, in shared memory as [slot][vector][thread][place in the vector]:
/// a thread moves up to four values at once, and neighbours' are beside each other, so that no two of them meet in a
/// bank.
class ThreadMemory {
public:
  ThreadMemory(KernelBuilder &b, int64_t slots, int64_t threads, int64_t count, mlir::Type element);

  /// `count` scalars.
  void write(mlir::Value slot, mlir::Value thread, mlir::ValueRange values) const;
  llvm::SmallVector<mlir::Value> read(mlir::Value slot, mlir::Value thread) const;
  /// The same as vectors.
  void writeVectors(mlir::Value slot, mlir::Value thread, mlir::ValueRange vectors) const;
  llvm::SmallVector<mlir::Value> readVectors(mlir::Value slot, mlir::Value thread) const;
  /// Value number `place` of a thread's vector number 0.
  mlir::Value readAt(mlir::Value slot, mlir::Value thread, mlir::Value place) const;

private:
  llvm::SmallVector<mlir::Value> indices(mlir::Value slot, int64_t vector, mlir::Value thread) const;
  llvm::MaybeAlign alignment() const;

  KernelBuilder *b;
  int64_t count;
  mlir::VectorType type; ///< of what moves at once
  mlir::Value memory;
};

} // namespace adjc::scan

#endif
