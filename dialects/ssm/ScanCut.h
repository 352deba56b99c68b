//===- ScanCut.h - how a scan's state is cut among kernel groups ----------------------------------------*- C++ -*-===//
#ifndef SSM_SCANCUT_H
#define SSM_SCANCUT_H

#include "mlir/IR/BuiltinTypes.h"
#include "ssm/ScanDimensions.h"

namespace mlir::ssm {

/// A kernel group runs one sequence over all tokens, for a block of the lane dimension, one point of every grouped
/// dimension and all points of the other state dimensions. What it sums over lanes or grouped dimensions is a partial
/// sum.
struct ScanCut {
  /// The state dimension that kernels vectorise over.
  unsigned lane;
  /// Lanes that a group holds: all of them where tokens need a sum over the lanes.
  int64_t laneBlock;
  /// Ascending; along them the recurrence is as independent as along the batch.
  SmallVector<int64_t> grouped;

  int64_t countLaneBlocks(ArrayRef<int64_t> sizes) const { return (sizes[lane] + laneBlock - 1) / laneBlock; }
  /// True if the groups of one sequence hold different parts of the sum that a tensor over `dims` needs.
  bool needsPartials(const DimensionSet &dims) const;
  /// Their number, given the sizes of all dimensions.
  int64_t countPartials(const DimensionSet &dims, ArrayRef<int64_t> sizes) const;
  /// The type in which kernels leave the cotangent of an input over `dims`: with a leading dimension for partial sums
  /// of groups, and a next one for the sequences where it lacks the batch.
  RankedTensorType getCotangentType(RankedTensorType input, const DimensionSet &dims, ArrayRef<int64_t> sizes) const;
};

/// Grouped are the state dimensions over which every output varies, no value is summed and no transition contracts.
ScanCut getScanCut(ScanOp scan);
ScanCut getScanCut(adj::ScanAdjointOp scan);

} // namespace mlir::ssm

#endif
