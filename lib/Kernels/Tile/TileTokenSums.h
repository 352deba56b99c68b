//===- TileTokenSums.h - cotangents of what does not vary over the tokens, summed over them -----------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_TILETOKENSUMS_H
#define ADJC_KERNELS_TILE_TILETOKENSUMS_H

#include "TileEmitter.h"

namespace adjc::scan {

/// The cotangents of inputs that do not vary over the tokens. Each span sums its own tokens' and leaves the sum in the
/// workspace, [sum][span][place in the result], from where another launch adds them up. Terms of the sequential part's
/// elements are summed in registers, those of (token, lane) points in shared memory, where they wait while the
/// sequential part needs the registers.
class TileTokenSums {
public:
  /// Indices into a result that come before those of its map.
  using LeadingIndices = std::function<llvm::SmallVector<mlir::Value>(mlir::AffineMap, const PointIndex &)>;

  /// `stateFloats`: of one sequence's state; two of them per chunk come before the sums in the workspace.
  TileTokenSums(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout,
                TileRegisters &registers, int64_t stateFloats, LeadingIndices leading)
      : context(context), b(context.b), geometry(geometry), layout(layout), registers(registers),
        stateFloats(stateFloats), leading(std::move(leading)) {}

  /// Adds the cotangent `node` of an input with this map to what `result` (a tensor) sums up.
  void add(PointProgram &program, PointNode *node, mlir::AffineMap map, mlir::Value result);
  /// Decides where each is summed. False where a term is not of elements or of (token, lane) points.
  bool place(const TileProgram &program);
  /// Reserves shared memory.
  void makeShared();
  /// Floats of workspace per sequence and chunk: there are no more spans than chunks.
  int64_t workspaceFloats() const;

  /// Starts a span; returns the totals in registers.
  llvm::SmallVector<mlir::Value> beginSpan(mlir::Value thread);
  /// Starts tokens of the sequential part.
  void beginTokens();
  /// The totals with those tokens' terms, which are taken from `totals`' front.
  llvm::SmallVector<mlir::Value> endTokens(mlir::ValueRange &totals);
  /// Adds what (token, lane) points have left since the last call.
  void endPoints(mlir::Value thread);
  /// Leaves the span's sums in the workspace. Every thread must come here.
  void endSpan(const TileBlock &block, TileEmitter &emitter, mlir::ValueRange totals);
  /// Adds up the spans' sums: the launch that comes last.
  void emitSums();

private:
  struct Sum {
    mlir::Value result; ///< the tensor
    mlir::AffineMap map;
    bool sequential = false;
    llvm::SmallVector<mlir::Value> terms; ///< of elements, or of the lanes of (token, lane) points; null: none yet
    const PointNode *store = nullptr;
    std::optional<ThreadMemory> memory; ///< of points: a total per lane of the thread's groups
  };

  int64_t termsOf(const Sum &sum) const { return sum.sequential ? layout.elements() : layout.pointLanes(); }
  /// Floats of the result per sequence.
  static int64_t floatsOf(const Sum &sum);
  mlir::Value sumBase(unsigned number, mlir::Value span, mlir::Value chunks);
  /// The place of a point in the result's floats.
  mlir::Value resultOffset(const Sum &sum, const PointIndex &index);
  void storeElements(const Sum &sum, mlir::Value base, TileEmitter &emitter, mlir::ValueRange totals);
  void storePoints(const Sum &sum, mlir::Value base, const TileBlock &block);

  KernelContext &context;
  KernelBuilder &b;
  const ScanGeometry &geometry;
  const TileLayout &layout;
  TileRegisters &registers;
  int64_t stateFloats;
  LeadingIndices leading;
  std::vector<Sum> sums;
};

} // namespace adjc::scan

#endif
