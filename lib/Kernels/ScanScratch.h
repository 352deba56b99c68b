//===- ScanScratch.h - a group's scratch, and loops over it -----------------------------------------------*- C++
//-*-===//
#ifndef ADJC_KERNELS_SCANSCRATCH_H
#define ADJC_KERNELS_SCANSCRATCH_H

#include "adjc/Kernels/KernelBuilder.h"
#include "mlir/IR/Operation.h"

namespace adjc::scan {

/// Hands out scratch and counts it: it lies on the stack of a worker thread.
class ScanScratch {
public:
  explicit ScanScratch(KernelBuilder &b) : b(b) {}
  /// Uninitialised, of static shape.
  mlir::Value make(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// Fails with a diagnostic at `op` when what was handed out does not fit a thread's stack.
  llvm::LogicalResult check(mlir::Operation *op) const;

private:
  KernelBuilder &b;
  int64_t bytes = 0;
};

/// Sets all of a scratch memref to zero.
void fillZero(KernelBuilder &b, mlir::Value memref);
/// total += part, for scratch memrefs of one shape; part becomes zero.
void moveInto(KernelBuilder &b, mlir::Value total, mlir::Value part);

/// `width` consecutive elements from memref[indices] on; a scalar for width 1.
mlir::Value loadLanes(KernelBuilder &b, mlir::Value memref, mlir::ValueRange indices, int64_t width);
/// Elements of a vector; 1 for a scalar.
int64_t getWidth(mlir::Value value);
/// Stores a scalar or a vector.
void storeLanes(KernelBuilder &b, mlir::Value value, mlir::Value memref, mlir::ValueRange indices);
/// A scalar in `width` lanes; a vector as it is.
mlir::Value splat(KernelBuilder &b, mlir::Value value, int64_t width);

} // namespace adjc::scan

#endif
