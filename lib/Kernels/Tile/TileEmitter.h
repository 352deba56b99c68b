//===- TileEmitter.h - writes a tile of a recurrence for the threads of a GPU block -------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_TILEEMITTER_H
#define ADJC_KERNELS_TILE_TILEEMITTER_H

#include "ThreadMemory.h"
#include "TileProgram.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace adjc::scan {

/// What leaves and stores of a tile's program read and write in registers. A leaf's or store's `emit` looks here.
struct TileRegisters {
  /// Which of the thread's (lane, inner) elements, or of the lanes of its (token, lane) points, is being emitted.
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

/// Writes the parts of a tile. Between them the caller puts barriers: emitBefore | sequential tokens | emitAfter. What
/// emitBefore needs from memory is read by readTile, best while another tile's work goes on.
class TileEmitter {
public:
  /// `resetFlag`: the node that says whether a token is a reset, or null. `parkPoints`: what (token, lane) points need
  /// again after the sequential part waits in shared memory, not in registers, which that part needs.
  TileEmitter(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout,
              const TileProgram &program, TileRegisters &registers, const PointNode *resetFlag, bool parkPoints);

  /// What does not vary over the tokens. Comes first, once per block.
  void emitHoisted(const TileBlock &block);
  /// Reads the operands of a tile's points, as they are stored: nothing here waits for them.
  llvm::SmallVector<mlir::Value> readTile(const Tile &tile);
  /// Registers that what readTile reads of (token, lane) points takes.
  int64_t operandRegisters();
  /// Computes the (token, lane) and (token, inner) points before the sequential part from what was read, shares what
  /// that part needs, and stores what is final.
  void emitBefore(const Tile &tile, mlir::ValueRange read);
  /// The values of nodes in `needed` at a token of the tile; `known` are not computed again. Runs the stores among
  /// `needed`, and keeps the sums among them for finishToken.
  TileValues emitToken(const Tile &tile, const TileSlot &slot, const llvm::DenseSet<const PointNode *> &needed,
                       const TileValues &known = TileValues());
  /// Takes the lane sums of the last token.
  void finishToken();
  /// Shares these, and takes and shares the inner sums, of the tokens since the last call: after every getGroupTokens()
  /// tokens, numbers ascending or descending. Not token by token: what is read of shared memory would wait for what was
  /// written there before it.
  void finishGroup();
  /// Computes and stores what comes after the sums.
  void emitAfter(const Tile &tile);

  /// Writes and reads values at consecutive places of shared memory, of which the first is aligned for as many of them
  /// as go at once; i1 as i8.
  void writeShared(llvm::ArrayRef<mlir::Value> values, mlir::Value memory, llvm::ArrayRef<mlir::Value> place);
  llvm::SmallVector<mlir::Value> readShared(mlir::Value memory, llvm::ArrayRef<mlir::Value> place, int64_t count,
                                            mlir::Type type);
  /// Whether the token is one of the tile's.
  mlir::Value isToken(const Tile &tile, const TileSlot &slot);
  /// Whether all tokens of the tile that emitBefore was given exist and none is a reset: the same for all threads.
  mlir::Value isPlain(const Tile &tile);
  /// The point of element (c, s) of the thread in the sequential part. `token` may be null.
  PointIndex elementIndex(int64_t c, int64_t s, mlir::Value token);
  /// Values of inner points in their own order as the thread's elements have them, or the other way round.
  llvm::SmallVector<mlir::Value> twisted(llvm::ArrayRef<mlir::Value> values);
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

  /// (token, lane) points of a thread that are of one token: one value per lane, or one for all.
  struct PointGroup {
    mlir::Value slot;
    llvm::SmallVector<PointIndex> index; ///< of each lane
    llvm::DenseMap<const PointNode *, llvm::SmallVector<mlir::Value>> values;
  };

  void makeShared();
  mlir::Value twisted(mlir::Value s);
  int64_t laneCopies() const { return lanesTwist ? 2 : 1; }
  /// The thread's lane number c.
  mlir::Value elementLane(int64_t c);
  /// Where a lane is in a copy of what is shared: the copies' places differ, so that threads read both at once.
  mlir::Value laneInCopy(mlir::Value lane, mlir::Value copy);
  /// Shares what a group of points has of a node.
  void sharePoints(const PointNode *node, const PointGroup &group);
  void chooseParked();
  static bool isCheap(const PointNode *node);
  const PointNode *rootOf(const PointNode *node) const;
  bool isVector(const PointNode *node) const;
  PointGroup makeGroup(const Tile &tile, int64_t number);
  /// Calls `body` for all that readTile reads of the points of a group, with the number of values it stands for.
  void forLeaves(llvm::function_ref<void(const PointNode *, int64_t)> body);
  mlir::Value readRaw(const PointNode *node, const PointIndex &index);
  /// What readRaw has read of a group of points, in f32: one value per lane, or one for all.
  llvm::SmallVector<mlir::Value> unpack(const PointNode *node, mlir::ValueRange raw);
  /// The rows' points of the thread, where each has equally many.
  llvm::SmallVector<PointIndex> rowPoints(const Tile &tile, llvm::SmallVectorImpl<mlir::Value> &slots);
  llvm::SmallVector<const PointNode *> rowLeaves();
  void computePoint(const PointNode *node, PointGroup &group);
  void storePoints(const Tile &tile, PointGroup &group, llvm::ArrayRef<TileStage> stages);
  mlir::Value clampToken(const Tile &tile, mlir::Value slot);
  PointIndex laneIndex(mlir::Value lane, mlir::Value token);
  void emitRows(const Tile &tile, mlir::ValueRange read);
  void emitRow(const PointIndex &index, mlir::Value slot, llvm::DenseMap<const PointNode *, mlir::Value> &cache);
  void emitRowStores(const Tile &tile);
  /// The value of a node at a single point, and of what it needs; `cache` holds what is known there.
  mlir::Value evaluate(const PointNode *node, const PointIndex &index, mlir::Value slot,
                       llvm::DenseMap<const PointNode *, mlir::Value> &cache);
  llvm::SmallVector<mlir::Value> readSequential(const PointNode *node, const Tile &tile, const TileSlot &slot);
  mlir::Value numberOf(const TileSlot &slot);
  mlir::Value pick(llvm::ArrayRef<mlir::Value> values, const PointNode *node, int64_t c, int64_t s) const;
  void keepSum(const PointNode *sum, const TileSlot &slot, llvm::ArrayRef<mlir::Value> operand);
  /// Of the lanes of a group of points, which begin with `lane`.
  llvm::SmallVector<mlir::Value> readInnerSums(unsigned number, mlir::Value slot, mlir::Value lane);
  mlir::Value readLaneSum(unsigned number, mlir::Value slot, mlir::Value inner);
  /// f32 values are shared as they are, i1 as i8.
  mlir::Type sharedType(mlir::Type type) const;
  mlir::Value toShared(mlir::Value value);
  mlir::Value fromShared(mlir::Value value, mlir::Type type);
  /// Values of a node at a group of points.
  int64_t countOf(const PointNode *node) const { return program.hasLane(node) ? layout.pointLanes() : 1; }

  KernelContext &context;
  KernelBuilder &b;
  const ScanGeometry &geometry;
  const TileLayout &layout;
  const TileProgram &program;
  TileRegisters &registers;
  const PointNode *resetFlag;
  bool parkPoints;
  TileBlock block;

  llvm::DenseMap<const PointNode *, mlir::Value> shared;   ///< [slot][copy][lane], or of rows [slot][copy][inner]
  llvm::MapVector<const PointNode *, ThreadMemory> parked; ///< a slot for each group of points of the thread
  /// (token, lane) points that are computed again after the sequential part: cheaper than to park them.
  llvm::SmallVector<const PointNode *> remade;
  /// Operands that are needed again there, put aside as they were read.
  llvm::MapVector<const PointNode *, ThreadMemory> parkedOperands;
  llvm::DenseMap<const PointNode *, mlir::Value> views; ///< of leaves
  llvm::DenseSet<const PointNode *> vectors;            ///< leaves whose lanes are read at once
  llvm::SmallVector<const PointNode *> innerSums, laneSums;
  mlir::Value innerSumMemory; ///< [group][sum and token][lane, padded]
  mlir::Value laneSumMemory;  ///< [slot][warp][value][inner thread]
  int64_t groupTokens = 1;    ///< tokens whose inner sums are taken together
  /// With sums over lanes a thread's elements are in an order of its own, inner point s ^ twist at s, which spares the
  /// selects of sumTransposed. Rows are shared in each of these orders.
  bool twists = false;
  mlir::Value twist; ///< the thread's; null without
  /// Likewise with sums over inner points where a thread has two lanes: the upper half of a lane's threads has them the
  /// other way round, lane c ^ 1 at c. What is shared of lanes is shared in both orders.
  bool lanesTwist = false;
  mlir::Value laneTwist; ///< the thread's, 0 or 1; null without
  mlir::Value resets;    ///< view of the flags; null without
  mlir::Value flag;      ///< of one token of the tile, for isPlain
  llvm::SmallVector<PendingSum> pendingInner, pendingLane;
  llvm::SmallVector<std::function<void()>> pendingWrites; ///< of lane sums

  TileValues hoisted;                   ///< of the sequential part
  TileValues hoistedPoints;             ///< of (token, lane) points, per lane of a group
  llvm::SmallVector<PointGroup> points; ///< of the tile
};

} // namespace adjc::scan

#endif
