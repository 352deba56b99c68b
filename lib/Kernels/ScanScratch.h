//===- ScanScratch.h - a group's scratch, and loops over it -------------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_SCANSCRATCH_H
#define ADJC_KERNELS_SCANSCRATCH_H

#include "ScanGeometry.h"
#include "mlir/IR/Operation.h"

namespace adjc::scan {

/// Hands out scratch and counts it. On the CPU it lies on the stack of a worker thread. On a GPU a thread keeps its
/// lanes, and its own copy of what has no lanes, in its own memory; where lanes read each other
/// (ScanGeometry::sharesLanes), what has lanes lies in shared memory.
class ScanScratch {
public:
  ScanScratch(KernelBuilder &b, const ScanGeometry &geometry) : b(b), geometry(geometry) {}
  /// Uninitialised: `leading` (if not 0), the inner dimensions of `dims` ascending, and the lanes if they are among
  /// `dims`.
  mlir::Value make(DimSet dims, mlir::Type element, int64_t leading = 0);
  /// One row of lanes.
  mlir::Value makeRow(mlir::Type element) { return make(dimBit(geometry.lane), element); }
  /// Fails with a diagnostic at `op` when what was handed out does not fit a thread's stack.
  llvm::LogicalResult check(mlir::Operation *op) const;

  /// Sets all of a scratch memref to zero.
  void fillZero(mlir::Value memref);
  /// total += part, for scratch memrefs of one shape; part becomes zero.
  void moveInto(mlir::Value total, mlir::Value part);

private:
  KernelBuilder &b;
  const ScanGeometry &geometry;
  int64_t bytes = 0;
};

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
