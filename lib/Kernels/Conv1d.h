//===- Conv1d.h - what the convolution's two kernels share --------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_KERNELS_CONV1D_H
#define ADJC_LIB_KERNELS_CONV1D_H

#include "adjc/Kernels/Emitters.h"

namespace adjc {

/// Channels per group: a group is one sequence of the batch and this many of its channels, all tokens in order.
inline constexpr int64_t convChannelBlock = 64;

/// What a group of a convolution kernel works on. Position s counts tokens from the shard's first; rows of the tail
/// received are the positions -(W-1) .. -1. The channel index c of all functions counts from `firstChannel`.
struct ConvGroup {
  KernelContext &ctx;
  KernelBuilder &b;
  int64_t width; ///< W
  bool multiple; ///< channels are a multiple of laneCount
  mlir::Value sequence, firstChannel, channelCount;

  ConvGroup(KernelContext &ctx, mlir::Value group, mlir::RankedTensorType weight);

  mlir::Value channel(mlir::Value c) { return b.add(firstChannel, c); }
  void forChannels(llvm::function_ref<void(const Lanes &, mlir::Value)> body) {
    forLanes(b, b.index(0), channelCount, multiple, body);
  }
  /// The position of tap k at token t: t - (W-1) + k.
  mlir::Value tapPosition(mlir::Value t, int64_t k) { return b.add(t, b.index(k - (width - 1))); }
  /// The row of a tail that holds position s < 0.
  mlir::Value tailRow(mlir::Value s) { return b.add(s, b.index(width - 1)); }
  /// The first position that token t may look back to: t itself at a reset, else `start`. `resets` may be null.
  mlir::Value advanceStart(mlir::Value resets, mlir::Value t, mlir::Value start);
  /// The first position of all: that of the tail's first row, or 0 without a tail.
  mlir::Value initialStart(bool hasTail) { return b.index(hasTail ? -(width - 1) : 0); }
  /// Whether all taps of token t are inputs of this shard that no reset hides.
  mlir::Value isInterior(mlir::Value t, mlir::Value start);
  /// body(view, index of the row in it) for position s, from x or from the tail (null without one; then only s >= 0).
  void withRow(mlir::Value x, mlir::Value tail, mlir::Value s, llvm::function_ref<void(mlir::Value, mlir::Value)> body);
  /// weights[k, c], a workspace, from weight[channel, 0, k].
  void loadWeights(mlir::Value weight, mlir::Value weights);
};

/// The type of the weight of a convolution or its adjoint.
template <typename Conv> mlir::RankedTensorType getConvWeightType(mlir::Operation *op) {
  return llvm::cast<mlir::RankedTensorType>(llvm::cast<Conv>(op).getWeight().getType());
}

/// The grid: batch x blocks of channels.
KernelGrid getConvGrid(KernelTarget target, mlir::RankedTensorType weight);
template <typename Conv> llvm::FailureOr<KernelGrid> convGrid(mlir::Operation *op, KernelTarget target) {
  return getConvGrid(target, getConvWeightType<Conv>(op));
}

} // namespace adjc

#endif
