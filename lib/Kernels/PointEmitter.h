//===- PointEmitter.h - writes a staged point program as loops ----------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_POINTEMITTER_H
#define ADJC_KERNELS_POINTEMITTER_H

#include "PointProgram.h"
#include "ScanGeometry.h"
#include "ScanScratch.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace adjc::scan {

/// Writes the nests of one program. What one nest leaves for another goes through scratch of static size, with the
/// lanes last.
class PointEmitter {
public:
  /// Stages `program` and makes its scratch.
  PointEmitter(KernelBuilder &b, PointProgram &program, const ScanGeometry &geometry, ScanScratch &scratch);

  /// What does not vary over the tokens. `index` has the batch.
  void emitHoisted(const ScanBlock &block, const PointIndex &index) { emitNests(false, block, index); }
  /// What one token computes. `index` has the batch and the token (and the slot, where leaves use it). Comes inside of
  /// emitHoisted's block.
  void emitToken(const ScanBlock &block, const PointIndex &index) { emitNests(true, block, index); }

private:
  using Values = llvm::DenseMap<const PointNode *, mlir::Value>;

  void makeScratch();
  void emitNests(bool perToken, const ScanBlock &block, const PointIndex &index);
  void emitNest(const PointNest &nest, const ScanBlock &block, PointIndex index);
  /// The nest's values without lanes: those from before its loop over the lanes, or those that follow from its sums.
  void emitScalars(const PointNest &nest, const PointIndex &index, Values &values, bool afterLanes);
  void emitCopiesIn(const PointNest &nest, const ScanBlock &block, const PointIndex &index);
  void emitLanes(const PointNest &nest, const ScanBlock &block, const PointIndex &index, Values &values);
  void emitCopiesOut(const PointNest &nest, const ScanBlock &block, const PointIndex &index);
  /// One vector of lanes. `sums` are the partial sums over lanes; returns the next ones.
  llvm::SmallVector<mlir::Value> emitVector(const PointNest &nest, const ScanBlock &block, const PointIndex &index,
                                            Values values, mlir::ValueRange sums);
  void addToSum(const PointNode *sum, const PointIndex &index, mlir::Value value);

  /// A value without lanes, read in the scalar part of a nest.
  mlir::Value readScalar(const PointNode *node, const PointIndex &index, Values &values);
  /// A value as a vector.
  mlir::Value readVector(const PointNode *node, const PointIndex &index, Values &values);
  mlir::Value loadScratch(const PointNode *node, const PointIndex &index);
  void storeScratch(const PointNode *node, const PointIndex &index, mlir::Value value);

  KernelBuilder &b;
  PointProgram &program;
  const ScanGeometry &geometry;
  ScanScratch &scratch;
  /// Values that other nests use, and the staging places of copied nodes.
  Values buffers;
  /// Copied nodes whose place holds one row of lanes only, because no other nest uses it.
  llvm::DenseSet<const PointNode *> rowOnly;
  /// Values without lanes or loops, valid in all nests that follow.
  Values fixed;
};

} // namespace adjc::scan

#endif
