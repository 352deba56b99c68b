//===- TileKernel.h - what the launches of a tiled recurrence share -----------------------------------*- C++ -*-===//
//
// Forward (TileScan.cpp), for a sequence cut into chunks, and spans of chunks:
//
//   _states   every chunk but those of the last span, from a zero state: its last state, and the product of its
//             transitions
//   _carry    from chunk to chunk: the state that each span begins with
//   _outputs  every span, from its state: outputs, checkpoints and the last state of all
//
// Adjoint (TileScanAdjoint.cpp): the same with state cotangents, from the last token to the first, then
//
//   _sums     over the spans, of the cotangents of what does not vary over the tokens
//
//===----------------------------------------------------------------------------------------------------------------===//
#ifndef ADJC_KERNELS_TILE_TILEKERNEL_H
#define ADJC_KERNELS_TILE_TILEKERNEL_H

#include "../ScanOperands.h"
#include "../ScanScratch.h"
#include "TileEmitter.h"

namespace adjc::scan {

/// One value per part of the state (real and imaginary) and element of the thread.
using ElementValues = llvm::SmallVector<llvm::SmallVector<mlir::Value>, 2>;

class TileKernel {
public:
  TileKernel(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout)
      : context(context), b(context.b), geometry(geometry), layout(layout),
        program(geometry.lane, geometry.groupedSet) {
    program.foldExponents();
  }
  virtual ~TileKernel() = default;

protected:
  unsigned parts() const { return geometry.stateParts; }
  /// Floats of one sequence's state.
  int64_t stateFloats() const;

  /// A leaf that reads `values` (of a part) at the element being emitted.
  PointValue addElementLeaf(ElementValues &values);
  /// A store that leaves a value over the state's points in `values`.
  llvm::SmallVector<const PointNode *> addElementStore(PointValue value, ElementValues &values, PointNode *like);
  /// As addOutput, where the point exists; the value may be a vector of lanes.
  const PointNode *addTileOutput(PointNode *node, mlir::Value tensor, mlir::AffineMap map,
                                 std::function<llvm::SmallVector<mlir::Value>(const PointIndex &)> leading);
  /// Both are false where the regions do not fit a tile.
  bool makeProgram();
  bool makeEmitter(PointNode *resetFlag, bool parkPoints = false);

  ElementValues zeros() { return constants(0); }
  ElementValues constants(double re);
  /// a x, of complex numbers where the state has two parts; with `conjugate`, of a's conjugate.
  ElementValues multiply(const ElementValues &a, const ElementValues &x, bool conjugate);
  ElementValues select(mlir::Value condition, const ElementValues &a, const ElementValues &b);
  static llvm::SmallVector<mlir::Value> flatten(llvm::ArrayRef<const ElementValues *> lists);
  /// Takes the elements of the next list from `values`.
  ElementValues take(mlir::ValueRange &values);

  /// Calls `body` for the chunk of each group of which `isNeeded` (i1) is true, with what does not vary over its tokens
  /// computed.
  void forChunks(llvm::function_ref<mlir::Value(const TileBlock &)> isNeeded,
                 llvm::function_ref<void(const TileBlock &)> body);
  /// Calls `body` likewise for the span of each group.
  void forSpans(llvm::function_ref<void(const TileBlock &)> body);
  /// The tile that begins with token number `first` of the block's.
  Tile tileAt(const TileBlock &block, mlir::Value first);
  /// The sequential part of a tile, which `body` writes twice: for a plain tile and for any. Barriers are around it.
  llvm::SmallVector<mlir::Value>
  emitTokens(const Tile &tile, mlir::ValueRange carried,
             llvm::function_ref<llvm::SmallVector<mlir::Value>(const Tile &, mlir::ValueRange)> body);
  /// Runs over the tiles of a block with carried values, from the last one with `reverse`. `tokens` writes the
  /// sequential part (tile, own operands, carried values); `ownOperands` values are read by `read` along with the
  /// tile's operands, a tile ahead, before the sequential part or after it (`readsLate`); `finishPoints` comes after
  /// each part that stores (token, lane) points.
  llvm::SmallVector<mlir::Value>
  forTiles(const TileBlock &block, bool reverse, mlir::ValueRange inits,
           llvm::function_ref<llvm::SmallVector<mlir::Value>(const Tile &)> read, size_t ownOperands,
           llvm::function_ref<llvm::SmallVector<mlir::Value>(const Tile &, mlir::ValueRange, mlir::ValueRange)> tokens,
           llvm::function_ref<void()> finishPoints);
  /// `values` where the token is one of the tile's, else `old`.
  ElementValues ifToken(const Tile &tile, const TileSlot &slot, const ElementValues &values, const ElementValues &old);

  /// Runs over the first `count` quarters of a tile with carried values, the last one first with `reverse`.
  llvm::SmallVector<mlir::Value>
  forQuarters(mlir::ValueRange inits, bool reverse, int64_t count,
              llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value quarter, mlir::ValueRange carried)> body);

  /// The place of the inner points of element (c, 0 ...) in a state's floats.
  mlir::Value vectorOffset(int64_t c);
  /// Copies the thread's elements between a flat memref that holds states from `base` on and registers.
  ElementValues loadElements(mlir::Value flat, mlir::Value base);
  /// The same in two steps: the second one needs what the first has read.
  ElementValues readElements(mlir::Value flat, mlir::Value base);
  ElementValues inOwnOrder(const ElementValues &read);
  void storeElements(const ElementValues &values, mlir::Value flat, mlir::Value base);

  /// The start of array `number` (of those that hold a state per chunk) at a sequence's chunk in the workspace.
  mlir::Value workspaceBase(unsigned number, mlir::Value sequence, mlir::Value chunk, mlir::Value chunks);
  /// state[0] = initial (zeros without), state[c + 1] = product[c] state[c] + local[c]: overwrites local by state where
  /// a span begins. From the last chunk to the first with `reverse`, which also conjugates the product.
  void emitCarry(mlir::Value initial, bool reverse);
  static KernelGrid carryGrid(const ScanGeometry &geometry);

  KernelContext &context;
  KernelBuilder &b;
  const ScanGeometry &geometry;
  const TileLayout &layout;
  PointProgram program;
  TileRegisters registers;
  llvm::DenseSet<const PointNode *> stateLeaves;
  /// Whether the next tile's operands are read after the sequential part, which needs the registers that they take. By
  /// itself so where these are many.
  std::optional<bool> readsLate;
  std::optional<TileProgram> tiles;
  std::optional<TileEmitter> emitter;
};

/// The launches of a recurrence's kernel on a GPU, tiled where it fits.
KernelLaunches tileScanLaunches(mlir::adj::KernelOp kernel, mlir::Operation *op, KernelTarget target);
KernelLaunches tileScanAdjointLaunches(mlir::adj::KernelOp kernel, mlir::Operation *op, KernelTarget target);
/// Writes launch number context.getLaunch() of them.
llvm::LogicalResult emitTileScan(KernelContext &context, mlir::Operation *op);
llvm::LogicalResult emitTileScanAdjoint(KernelContext &context, mlir::Operation *op);

/// Calls `build` with a context that writes into a function which is thrown away: for what is only known once a program
/// is built.
bool tryInScratch(mlir::adj::KernelOp kernel, llvm::function_ref<bool(KernelContext &)> build);

} // namespace adjc::scan

#endif
