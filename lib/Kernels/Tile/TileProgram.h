//===- TileProgram.h - which part of a tile computes a recurrence's values ----------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_TILEPROGRAM_H
#define ADJC_KERNELS_TILE_TILEPROGRAM_H

#include "TileLayout.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace adjc::scan {

/// Where a node of a point program is computed, in order of execution.
enum class TileStage {
  Hoisted,    ///< once per block: no token
  Scalar,     ///< where it is used: varies with the token alone
  Row,        ///< before the sequential part: (token, inner) points
  Before,     ///< before the sequential part: (token, lane) points
  Sequential, ///< token by token: (lane, inner) points, or what depends on a state
  InnerSum,   ///< sum of sequential values over the inner dimension
  LaneSum,    ///< sum of sequential values over the block's lanes
  After,      ///< after the sequential part: (token, lane) points that need an inner sum
  RowAfter    ///< after the sequential part: (token, inner) points that need a lane sum
};

/// Assigns the nodes of a program to stages.
class TileProgram {
public:
  /// Drops what no store needs. `stateLeaves`: the leaves that read states.
  TileProgram(PointProgram &program, const ScanGeometry &geometry, const TileLayout &layout,
              const llvm::DenseSet<const PointNode *> &stateLeaves);

  /// False when some value needs an order of computation that a tile does not have, such as a sum that the sequential
  /// part itself uses.
  bool fits() const { return fitting; }
  TileStage stageOf(const PointNode *node) const { return stages.lookup(node); }
  bool hasLane(const PointNode *node) const { return contains(node->space, geometry.lane); }
  bool hasInner(const PointNode *node) const { return layout.inner && contains(node->space, *layout.inner); }

  /// In topological order.
  llvm::SmallVector<const PointNode *> inStage(TileStage stage) const;
  llvm::SmallVector<const PointNode *> stores() const;
  /// True if some node of stage `user` has it for an operand.
  bool isUsedIn(const PointNode *node, TileStage user) const;
  /// `roots` and all nodes that they need.
  llvm::DenseSet<const PointNode *> closure(llvm::ArrayRef<const PointNode *> roots) const;

private:
  std::optional<TileStage> classify(const PointNode *node, bool isState) const;
  std::optional<TileStage> classifyValue(const PointNode *node) const;
  std::optional<TileStage> classifySum(const PointNode *node) const;
  bool storeFits(const PointNode *store) const;

  PointProgram &program;
  const ScanGeometry &geometry;
  const TileLayout &layout;
  llvm::DenseMap<const PointNode *, TileStage> stages;
  bool fitting = true;
};

} // namespace adjc::scan

#endif
