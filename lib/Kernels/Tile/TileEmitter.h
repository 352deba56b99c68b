//===- TileEmitter.h - writes a tile of a recurrence for the threads of a GPU block -------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_TILEEMITTER_H
#define ADJC_KERNELS_TILE_TILEEMITTER_H

#include "TileProgram.h"
#include "llvm/ADT/MapVector.h"

namespace adjc::scan {

/// What leaves and stores of a tile's program read and write in registers. A leaf's or store's `emit` looks here.
struct TileRegisters {
  /// Which of the thread's (lane, inner) elements, or of its (token, lane) points, is being emitted.
  int64_t element = 0;
  /// Whether the point exists (i1); null where it is known to.
  mlir::Value exists;
};

/// A tile of up to tileTokens consecutive tokens.
struct Tile {
  mlir::Value first; ///< number of its first token
  mlir::Value count; ///< tokens that exist
  /// In the sequential part: all tokens exist and none is a reset.
  bool plain = false;
};

/// A token of a tile: number `offset` of a quarter.
struct TileSlot {
  mlir::Value quarter; ///< number of the quarter
  int64_t offset = 0;  ///< 0 .. quarterTokens - 1
};

/// Values of nodes: one per (lane, inner) element that the node distinguishes, lanes first.
using TileValues = llvm::DenseMap<const PointNode *, llvm::SmallVector<mlir::Value>>;

/// Writes the parts of a tile. Between them the caller puts barriers: emitBefore | sequential tokens | emitAfter.
class TileEmitter {
public:
  /// `resetFlag`: the node that says whether a token is a reset, or null. `parkPoints`: what (token, lane) points need
  /// again after the sequential part waits in shared memory, not in registers, which that part needs.
  TileEmitter(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout,
              const TileProgram &program, TileRegisters &registers, const PointNode *resetFlag, bool parkPoints);

  /// What does not vary over the tokens. Comes first, once per block.
  void emitHoisted(const TileBlock &block);
  /// Computes the (token, lane) and (token, inner) points before the sequential part, and shares what that needs.
  void emitBefore(const Tile &tile);
  /// The values of nodes in `needed` at a token of the tile; `known` are not computed again. Runs the stores among
  /// `needed`, and keeps the sums among them for finishToken.
  TileValues emitToken(const Tile &tile, const TileSlot &slot, const llvm::DenseSet<const PointNode *> &needed,
                       const TileValues &known = {});
  /// Shares the lane sums of the last token.
  void finishToken();
  /// Shares the inner sums of the tokens since the last call: after every getGroupTokens() tokens, numbers ascending or
  /// descending.
  void finishGroup();
  /// Computes and stores what comes after the sums.
  void emitAfter(const Tile &tile);

  /// Whether the token is one of the tile's.
  mlir::Value isToken(const Tile &tile, const TileSlot &slot);
  /// Whether all tokens exist and none is a reset: the same for all threads.
  mlir::Value isPlain(const Tile &tile, mlir::Value resets);
  /// The point of element (c, s) of the thread in the sequential part. `token` may be null.
  PointIndex elementIndex(int64_t c, int64_t s, mlir::Value token);
  /// Whether the lane of element c exists; null where all do.
  mlir::Value laneExists(int64_t c);
  const TileBlock &getBlock() const { return block; }
  /// Tokens whose inner sums are taken together.
  int64_t getGroupTokens() const { return groupTokens; }

private:
  /// An inner or lane sum of a token: its values until the group is finished.
  struct PendingSum {
    unsigned number; ///< among the sums of its kind
    TileSlot slot;
    llvm::SmallVector<mlir::Value> values;
  };

  void makeShared();
  bool isNeededAfter(const PointNode *node) const;
  mlir::Value clampToken(const Tile &tile, mlir::Value slot);
  PointIndex laneIndex(mlir::Value lane, mlir::Value token);
  void emitRows(const Tile &tile);
  void emitRowStores(const Tile &tile);
  /// The value of a node at a single point, and of what it needs; `cache` holds what is known there.
  mlir::Value evaluate(const PointNode *node, const PointIndex &index, mlir::Value slot,
                       llvm::DenseMap<const PointNode *, mlir::Value> &cache);
  llvm::SmallVector<mlir::Value> readSequential(const PointNode *node, const Tile &tile, const TileSlot &slot);
  mlir::Value numberOf(const TileSlot &slot);
  unsigned elementsOf(const PointNode *node) const;
  mlir::Value pick(llvm::ArrayRef<mlir::Value> values, const PointNode *node, int64_t c, int64_t s) const;
  void keepSum(const PointNode *sum, const TileSlot &slot, llvm::ArrayRef<mlir::Value> operand);
  mlir::Value readInnerSum(unsigned number, mlir::Value slot, mlir::Value lane);
  mlir::Value readLaneSum(unsigned number, mlir::Value slot, mlir::Value inner);
  /// f32 values are shared as they are, i1 as i8.
  mlir::Value toShared(mlir::Value value);
  mlir::Value fromShared(mlir::Value value, mlir::Type type);

  KernelContext &context;
  KernelBuilder &b;
  const ScanGeometry &geometry;
  const TileLayout &layout;
  const TileProgram &program;
  TileRegisters &registers;
  const PointNode *resetFlag;
  bool parkPoints;
  TileBlock block;

  llvm::DenseMap<const PointNode *, mlir::Value> shared;  ///< [slot][lane], or of rows [slot][inner]
  llvm::MapVector<const PointNode *, mlir::Value> parked; ///< [point of the thread][thread]
  llvm::SmallVector<const PointNode *> innerSums, laneSums;
  mlir::Value innerSumMemory; ///< [group][value][lane thread, padded]
  mlir::Value laneSumMemory;  ///< [slot][warp][value][inner thread]
  int64_t groupTokens = 1;    ///< tokens whose inner sums are taken together
  llvm::SmallVector<PendingSum> pendingInner, pendingLane;

  TileValues hoisted;                                                       ///< of the sequential part
  llvm::DenseMap<const PointNode *, mlir::Value> hoistedPoint;              ///< of (token, lane) points
  llvm::SmallVector<llvm::DenseMap<const PointNode *, mlir::Value>> points; ///< of the tile, per point of the thread
};

} // namespace adjc::scan

#endif
