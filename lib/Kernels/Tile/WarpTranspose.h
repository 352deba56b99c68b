//===- WarpTranspose.h - many sums over the threads of a warp at once ---------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_WARPTRANSPOSE_H
#define ADJC_KERNELS_TILE_WARPTRANSPOSE_H

#include "adjc/Kernels/KernelBuilder.h"

namespace adjc::scan {

/// What a thread holds after summing: values [first, first + values.size()) of those that were given.
struct TransposedSums {
  llvm::SmallVector<mlir::Value> values;
  mlir::Value first;
  /// Threads that hold the same values: only the one where this is true (null: always) needs to write them.
  mlir::Value writes;
};

/// Sums each of `values` (f32, one of each per thread) over the `count` threads of a warp whose numbers differ in the
/// bits of value stride, 2 stride, ... (count and stride powers of two). While the number of values is even, the two
/// threads of a pair share them out: n values over n threads cost n - 1 shuffles instead of n log n. `thread` is the
/// thread's number. The order of each sum is fixed.
///
/// In the first `twisted` steps the upper thread of a pair has its values in the other order, the upper half of what is
/// left first, so that nothing is selected: both keep their first half. `first` is as without.
TransposedSums sumTransposed(KernelBuilder &b, mlir::ValueRange values, mlir::Value thread, int64_t count,
                             int64_t stride, int64_t twisted = 0);

} // namespace adjc::scan

#endif
