//===- Conv1dWindow.h - causal convolution on a GPU ---------------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_KERNELS_CONV1DWINDOW_H
#define ADJC_LIB_KERNELS_CONV1DWINDOW_H

#include "adjc/Kernels/Emitters.h"

namespace adjc {

/// The launches of a convolution and of its adjoint on a GPU. A group is a sequence, a chunk of its tokens and a block
/// of channels; a thread has one channel and keeps the last W inputs (in the adjoint: the next W cotangents) in
/// registers, which a reset clears.
KernelLaunches windowConvLaunches(mlir::RankedTensorType weight);
KernelLaunches windowConvAdjointLaunches(mlir::RankedTensorType weight);
llvm::LogicalResult emitWindowConv(KernelContext &context, mlir::Operation *op);
/// Launch 0 leaves a sum of the weight's and bias's cotangents per chunk in the workspace, launch 1 sums those.
llvm::LogicalResult emitWindowConvAdjoint(KernelContext &context, mlir::Operation *op);

} // namespace adjc

#endif
