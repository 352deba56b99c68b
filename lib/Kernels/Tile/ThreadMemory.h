//===- ThreadMemory.h - shared memory of which each thread has its own part ---------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_THREADMEMORY_H
#define ADJC_KERNELS_TILE_THREADMEMORY_H

#include "adjc/Kernels/KernelBuilder.h"

namespace adjc::scan {

/// Slots of `count` f32 values for each thread of a block, in shared memory as [slot][vector][thread][place in the
/// vector]: a thread moves up to four values at once, and neighbours' are beside each other, so that no two of them
/// meet in a bank.
class ThreadMemory {
public:
  ThreadMemory(KernelBuilder &b, int64_t slots, int64_t threads, int64_t count);
  void write(mlir::Value slot, mlir::Value thread, llvm::ArrayRef<mlir::Value> values);
  llvm::SmallVector<mlir::Value> read(mlir::Value slot, mlir::Value thread);

private:
  KernelBuilder &b;
  int64_t count, width;
  mlir::Value memory;
};

} // namespace adjc::scan

#endif
