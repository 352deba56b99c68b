//===- RowTeam.h - rows that threads of a GPU hold in registers ---------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_KERNELS_ROWTEAM_H
#define ADJC_LIB_KERNELS_ROWTEAM_H

#include "adjc/Kernels/KernelContext.h"

namespace adjc {

/// The threads of a GPU that share a row of channels, each with pieces of it in registers: those of a warp where rows
/// are narrow, else those of the block. A group is `getTeams` teams with consecutive rows each.
class RowTeam {
public:
  /// Whether rows of so many channels fit the threads' registers.
  static bool fits(int64_t channels) { return channels <= gpuThreads * mostChannels; }
  /// Teams of a block.
  static int64_t getTeams(int64_t channels) {
    return channels <= warpThreads * mostChannels ? gpuThreads / warpThreads : 1;
  }

  /// A piece is `width` channels.
  RowTeam(KernelContext &context, int64_t channels, int64_t width);

  /// body(number of the team, counted over all groups, its first row, the row after its last), for teams with any rows.
  void forTeams(int64_t rowsPerTeam, llvm::function_ref<void(mlir::Value, mlir::Value, mlir::Value)> body);

  /// `count` vectors (f32) per piece of the thread: what `body` returns for its first channel; zeros beyond the row.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>>
  gather(unsigned count, llvm::function_ref<llvm::SmallVector<mlir::Value>(const Lanes &, mlir::Value)> body);
  /// body(lanes, first channel, number of the piece) for the thread's pieces of the row.
  void forPieces(llvm::function_ref<void(const Lanes &, mlir::Value, unsigned)> body);
  /// Sums vectors over their lanes and over the team, in a fixed order; all of its threads have the sums.
  llvm::SmallVector<mlir::Value> sum(llvm::ArrayRef<mlir::Value> vectors);

  const Lanes &getLanes() const { return lanes; }
  unsigned getPieces() const { return pieces; }

private:
  static constexpr int64_t mostChannels = 32; ///< of a thread

  mlir::Value channelOf(unsigned piece);
  /// Null where every thread has the piece.
  mlir::Value hasPiece(unsigned piece, mlir::Value channel);

  KernelContext &context;
  KernelBuilder &b;
  int64_t channels, width, threads;
  unsigned pieces;
  Lanes lanes;
};

} // namespace adjc

#endif
