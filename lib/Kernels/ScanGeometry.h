//===- ScanGeometry.h - how a recurrence is cut into kernel groups ------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_SCANGEOMETRY_H
#define ADJC_KERNELS_SCANGEOMETRY_H

#include "PointProgram.h"
#include "adjc/Kernels/KernelContext.h"

namespace adjc::scan {

/// Lanes handled at once where all blocks of lanes consist of so many.
constexpr int64_t wideCount = 4 * laneCount;

/// A recurrence's iteration space and its cut (ssm::ScanCut): one group per sequence, point of the grouped dimensions
/// and block of lanes runs over the tokens, its state in scratch that has the lanes last.
struct ScanGeometry {
  /// Reads it off an ssm.scan or adj.scan_adjoint.
  static ScanGeometry get(mlir::Operation *op, KernelTarget target);

  /// Size per dimension; dynamic for batch and token.
  llvm::SmallVector<int64_t> sizes;
  llvm::SmallVector<std::string> names;
  llvm::SmallVector<unsigned> state; ///< state dimensions, in the order of the state's tensor
  DimSet stateSet = 0;               ///< batch, token and the state dimensions: what a state varies over
  unsigned stateParts = 1;           ///< 2 for a complex state: real and imaginary part, each f32 in scratch
  mlir::Type stateType;              ///< of a part: f32
  /// Of a dense transition: the copy of a state dimension, and that dimension.
  std::optional<unsigned> contracted, contracts;
  llvm::SmallVector<unsigned> grouped; ///< ascending; a group holds one point of each
  DimSet groupedSet = 0;
  unsigned lane = 0;   ///< the lane dimension
  int64_t lanes = 0;   ///< its size
  int64_t block = 0;   ///< lanes of a block
  int64_t padded = 0;  ///< lanes that scratch holds: a multiple of the vectors' width
  int64_t threads = 0; ///< of a GPU block; 0 on the CPU

  int64_t getBlocks() const { return (lanes + block - 1) / block; }
  KernelGrid getGrid() const {
    return {GridUnit::Batch, 1, getBlocks() * getGroupedPoints(), std::max<int64_t>(threads, 1)};
  }
  /// On a GPU: a dense transition along the lanes reads the states of other threads' lanes.
  bool sharesLanes() const { return threads && contracts == lane; }
  /// The place of a point's lane in scratch.
  mlir::Value lanePlace(const PointIndex &index) const {
    return threads && !sharesLanes() ? index.ownLane : index.lane;
  }
  int64_t getGroupedPoints() const;
  /// True if some block ends within a vector.
  bool hasPartialVectors() const {
    return !threads && (lanes % laneCount != 0 || (splitsLanes() && block % laneCount != 0));
  }
  /// Lanes that one operation handles. More than a register holds: their instructions then alternate, and none waits
  /// for the result of the one before it.
  int64_t getWidth() const {
    if (threads)
      return 1;
    int64_t width = wideCount;
    while (lanes % width != 0 || block % width != 0)
      width /= 2;
    return std::max(width, laneCount);
  }
  /// True if some group holds less than all lanes.
  bool splitsLanes() const { return getBlocks() > 1; }
  DimSet innerDims(DimSet set) const {
    return set & ~(dimBit(batchDim) | dimBit(tokenDim) | dimBit(lane) | groupedSet);
  }
  /// What the state that a transition is applied to varies over: the contracted dimension stands for the one it
  /// contracts.
  DimSet stateBeforeSet() const;
  /// The point whose state a dense transition multiplies at `index`; `index` itself without one.
  PointIndex atContracted(const PointIndex &index) const;
  /// The number of the group at `index` among those whose partial sums belong together (ssm::ScanCut::countPartials);
  /// none where a tensor over `dims` needs no partial sums of groups.
  std::optional<mlir::Value> partialNumber(KernelBuilder &b, DimSet dims, const PointIndex &index) const;
  /// Shape of scratch for a value varying over `set`: its inner dimensions, ascending, then the lanes.
  llvm::SmallVector<int64_t> scratchShape(DimSet set) const;
  /// A point's place in such scratch.
  llvm::SmallVector<mlir::Value> scratchIndices(DimSet set, const PointIndex &index) const;
};

/// The set of dimensions of a projection.
DimSet dimsOf(mlir::AffineMap map);

/// The block of lanes that a group handles.
struct ScanBlock {
  mlir::Value batch;                      ///< the sequence
  mlir::Value number;                     ///< of the block
  llvm::SmallVector<mlir::Value> grouped; ///< index in each grouped dimension
  mlir::Value firstLane;                  ///< in the lane dimension
  mlir::Value count;                      ///< lanes that exist
  mlir::Value bound;                      ///< count, rounded up to whole vectors
};

/// What group number `group` handles.
ScanBlock makeBlock(KernelBuilder &b, const ScanGeometry &geometry, mlir::Value group);
/// The point without inner dimensions, token and lane.
PointIndex makeIndex(const ScanGeometry &geometry, const ScanBlock &block);
/// `index` at (the vector that begins with) a lane of the block.
PointIndex atLane(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, PointIndex index,
                  mlir::Value lane, int64_t width);
/// Opens loops over the inner dimensions of `set`.
void forInner(KernelBuilder &b, const ScanGeometry &geometry, DimSet set, PointIndex index,
              llvm::function_ref<void(const PointIndex &)> body);
/// Runs over the lanes of a block that exist, one by one. `strided`: body reads or writes a tensor in which they are
/// far apart, which does not become faster in vectors.
void forEachLane(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, const PointIndex &index,
                 bool strided, llvm::function_ref<void(const PointIndex &)> body);
/// The same for all points of a block that `set` distinguishes.
void forPoints(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, DimSet set, PointIndex index,
               bool strided, llvm::function_ref<void(const PointIndex &)> body);

} // namespace adjc::scan

#endif
