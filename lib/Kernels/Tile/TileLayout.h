//===- TileLayout.h - how a recurrence is laid over the threads of a GPU block ------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_TILE_TILELAYOUT_H
#define ADJC_KERNELS_TILE_TILELAYOUT_H

#include "../ScanGeometry.h"
#include "adjc/Kernels/ShardShape.h"
#include <numeric>

namespace adjc::scan {

/// Tokens that a block stages at once: those between two checkpoints of the state.
inline constexpr int64_t tileTokens = 16;
/// Tokens that the sequential part writes out one after the other; it loops over the quarters of a tile.
inline constexpr int64_t quarterTokens = tileTokens / 4;

struct TileLayout;

/// What the choice of spans weighs. The states of a sequence's last span are not needed beforehand (of its first, in
/// the adjoint): the longer the spans, the less is computed twice, and the fewer blocks there are.
struct SpanWork {
  double perToken; ///< time for a token of a span, where it is 1 in `_states`
  /// Part of that time that is lost where all blocks begin at once, and read and compute in step: of several waves of
  /// blocks the later ones do not.
  double lockstep;
  /// Blocks of spans that a processor holds at once.
  llvm::function_ref<int64_t(const TileLayout &)> residentBlocks;
};

/// A block runs consecutive tokens of a sequence for `lanes` lanes and all points of at most one inner state dimension,
/// tile by tile: one chunk where it finds the chunk's state, a span of chunks where it computes all else. In the
/// sequential part of a tile a thread holds `laneShare` lanes x `innerShare` inner points in registers:
///
///     thread = laneThread * innerThreads + innerThread
///     lane   = laneThread * laneShare + c,     c < laneShare
///     inner  = innerThread * innerShare + s,   s < innerShare
///
/// What has no inner points is computed before and after it. There a thread has the tile's (token, lane) points
///
///     lane  = thread % laneGroups * pointLanes + i,      i < pointLanes, which it reads and writes at once
///     token = thread / laneGroups + g * pointStep,       g < pointGroups
struct TileLayout {
  int64_t laneShare = 1, innerShare = 1, innerThreads = 1, laneThreads = 1;
  std::optional<unsigned> inner; ///< the inner dimension
  int64_t innerSize = 1;
  int64_t chunk = 0; ///< tokens of a chunk: a multiple of tileTokens
  int64_t span = 1;  ///< chunks of a span

  int64_t lanes() const { return laneThreads * laneShare; }
  int64_t threads() const { return laneThreads * innerThreads; }
  int64_t elements() const { return laneShare * innerShare; }
  int64_t warps() const { return threads() / 32; }
  /// Lane threads within a warp.
  int64_t laneThreadsPerWarp() const { return 32 / innerThreads; }
  /// (token, lane) points of a tile per thread.
  int64_t pointsPerThread() const { return tileTokens * lanes() / threads(); }
  int64_t pointLanes() const { return std::gcd(std::gcd(pointsPerThread(), lanes()), int64_t(4)); }
  int64_t laneGroups() const { return lanes() / pointLanes(); }
  int64_t pointGroups() const { return pointsPerThread() / pointLanes(); }
  int64_t pointStep() const { return tileTokens / pointGroups(); }

  /// Of what runs over spans, whose threads wait for shared memory and shuffles: the same with two lanes per thread and
  /// half the threads, where that leaves whole warps and a sum over inner points is still shared out. Sums over lanes
  /// take half the shuffles, and what varies over inner points alone is read half as often. Complex states fill the
  /// registers with one lane.
  TileLayout forSpans(const ScanGeometry &geometry) const;

  /// None where the recurrence does not fit this scheme (a dense transition, several inner dimensions, an odd number of
  /// inner points): it is then computed lane by lane as on the CPU.
  /// `work` says how spans are chosen; without a shard they are of one chunk.
  static std::optional<TileLayout> get(const ScanGeometry &geometry, const SpanWork &work,
                                       std::optional<ShardShape> shard);
};

/// The threads' view of a block: what a kernel works on.
struct TileBlock {
  ScanBlock scan;
  mlir::Value span, spans;           ///< number of the span (or chunk), and how many the sequence has
  mlir::Value firstChunk, lastChunk; ///< of the span
  mlir::Value chunks;                ///< that the sequence has
  mlir::Value firstToken, tokens;    ///< of the span: the first, and their number (at least 1)
  mlir::Value laneThread, innerThread, thread;
};

/// What group number `group` handles, where a block runs `span` chunks. Groups are numbered by sequence, span, then as
/// ScanGeometry does.
TileBlock makeTileBlock(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout, int64_t span,
                        mlir::Value group);

} // namespace adjc::scan

#endif
