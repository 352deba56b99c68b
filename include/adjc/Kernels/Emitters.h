//===- Emitters.h - the emitters that adj-lower-kernels knows -----------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_EMITTERS_H
#define ADJC_KERNELS_EMITTERS_H

#include "adjc/Kernels/KernelContext.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace adjc {

/// How one kind of operation becomes a kernel. To add a kind: write the three functions in lib/Kernels/Emit<Kind>.cpp,
/// declare its table entry below and list it in lib/Kernels/Registry.cpp.
struct KernelEmitter {
  /// The operation's name, such as "ssm.rms_norm".
  llvm::StringLiteral operation;
  /// The groups of a dispatch; group g of `emit` must be the g-th of them. Fails with a diagnostic at `op`.
  llvm::FailureOr<KernelGrid> (*grid)(mlir::Operation *op, KernelTarget target);
  /// Writes the kernel's body. Fails with a diagnostic at `op`.
  llvm::LogicalResult (*emit)(KernelContext &context, mlir::Operation *op);
  /// The operand of `op` whose buffer result number `result` takes, or null; null when no result is tied.
  mlir::Value (*tied)(mlir::Operation *op, unsigned result) = nullptr;
  /// Whether the kernel may be marked `accumulate`.
  bool accumulates = false;
  /// The launches of a dispatch, where it may be more than one; null: one of `grid`.
  KernelLaunches (*launches)(mlir::adj::KernelOp kernel, mlir::Operation *op, KernelTarget target) = nullptr;
  /// The operand that pointwise operations may make in the kernel, and the result that they may take on there: the
  /// emitter reads and writes them as FusedRows. -1: none.
  int fusedOperand = -1, fusedResult = -1;
};

/// The operation that a kernel computes: the only one in its body beside tensor.empty, tensor.dim, constants,
/// linalg.fill and the terminator, or the only one that is no linalg.generic fused with it. A body that only yields its
/// argument is a copy: the terminator itself ("adj.yield"). Fails with a diagnostic when there are several.
llvm::FailureOr<mlir::Operation *> getComputation(mlir::adj::KernelOp kernel);

/// Whether `generic` may join another operation's kernel: it computes rows of channels, point by point, from such rows,
/// from one row that is the same everywhere (a bias), or from constants.
bool isRowPointwise(mlir::linalg::GenericOp generic);

/// The emitter of an operation, or null.
const KernelEmitter *findEmitter(mlir::Operation *op);

/// A dispatch of one launch.
inline KernelLaunches oneLaunch(const KernelGrid &grid) {
  KernelLaunches launches;
  launches.list.push_back({"", grid});
  return launches;
}

extern const KernelEmitter embeddingEmitter, embeddingAdjointEmitter;
extern const KernelEmitter rmsNormEmitter, rmsNormAdjointEmitter;
extern const KernelEmitter conv1dEmitter, conv1dAdjointEmitter;
extern const KernelEmitter elementwiseEmitter, residualEmitter, fillEmitter;
extern const KernelEmitter roundEmitter, extendEmitter;
extern const KernelEmitter scanEmitter, scanAdjointEmitter;
extern const KernelEmitter crossEntropyEmitter;
extern const KernelEmitter columnSumEmitter, sumPartialsEmitter, copyEmitter;

} // namespace adjc

#endif
