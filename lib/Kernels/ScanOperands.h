//===- ScanOperands.h - what a recurrence reads and writes outside of its scratch ---------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_SCANOPERANDS_H
#define ADJC_KERNELS_SCANOPERANDS_H

#include "ScanGeometry.h"

namespace adjc::scan {

/// How many tokens ahead rows are fetched.
constexpr int64_t prefetchDistance = 2;

/// A leaf that reads a tensor at the points of its map.
PointNode *addInput(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, mlir::Value tensor,
                    mlir::AffineMap map);
/// Fetches into the cache what a token needs of a tensor (if its lanes are consecutive); `index` has the batch and the
/// token. Rows are far apart, so the hardware does not foresee them.
void prefetchRow(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, mlir::Value view,
                 mlir::AffineMap map, const PointIndex &index);
/// As addInput, for the cotangent of an output. One that lacks the lane dimension stands in block 0 alone, so that
/// partial sums over the blocks count it once. (All outputs have the grouped dimensions.)
PointNode *addCotangent(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, mlir::Value tensor,
                        mlir::AffineMap map);
/// The reset flag (i1): false without resets.
PointNode *addResetFlag(PointProgram &program, KernelContext &context, mlir::Value resets);
/// Stores a node to a tensor at the points of `map`; `leading` gives the indices of dimensions before those of the map.
void addOutput(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, PointNode *node,
               mlir::Value tensor, mlir::AffineMap map,
               std::function<llvm::SmallVector<mlir::Value>(const PointIndex &)> leading);
/// The state after a token: transition * before + input term, where `before` is 0 at a reset.
PointValue addStep(PointProgram &program, const ScanGeometry &geometry, PointValue transition, PointValue before,
                   PointValue term);
/// `value`, or 0 at a reset (`flag` is null without resets).
PointValue addUnlessReset(PointProgram &program, PointValue value, PointNode *flag);

/// A group's states in scratch: f32, one memref per part.
using StateScratch = llvm::SmallVector<mlir::Value, 2>;
/// A leaf that reads the state of a point: `before` for the one that a transition is applied to. `leading` gives the
/// indices of dimensions before the state's.
PointValue addStateLeaf(PointProgram &program, const ScanGeometry &geometry, const StateScratch &states, bool before,
                        std::function<llvm::SmallVector<mlir::Value>(const PointIndex &)> leading = nullptr);
/// Stores a state likewise.
void addStateStore(PointProgram &program, const ScanGeometry &geometry, PointValue value, const StateScratch &states,
                   bool before, std::function<llvm::SmallVector<mlir::Value>(const PointIndex &)> leading = nullptr);
/// Inputs as arguments of a region.
llvm::SmallVector<PointValue> toValues(llvm::ArrayRef<PointNode *> nodes);

/// Whether lanes are far apart in a tensor of this map.
bool isStrided(const ScanGeometry &geometry, mlir::AffineMap map);
/// Indices of a point in a tensor of this map.
llvm::SmallVector<mlir::Value> mapIndices(mlir::AffineMap map, const PointIndex &index);

/// Copies a block's states between a tensor `view` (leading indices, then state dimensions, then the part of a complex
/// state) and scratch (leading indices, then the scratch's).
void loadStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, mlir::Value view,
                mlir::ValueRange leading, const StateScratch &scratch, mlir::ValueRange scratchLeading);
void storeStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, mlir::Value view,
                 mlir::ValueRange leading, const StateScratch &scratch);

} // namespace adjc::scan

#endif
