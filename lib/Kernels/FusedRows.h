//===- FusedRows.h - pointwise operations computed in another operation's kernel ----------------------*- C++ -*-===//
#ifndef ADJC_LIB_KERNELS_FUSEDROWS_H
#define ADJC_LIB_KERNELS_FUSEDROWS_H

#include "adjc/Kernels/KernelContext.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/MapVector.h"

namespace adjc {

/// A kernel computes one main operation and, on the same rows, pointwise ones: some make what it reads, others take
/// what it writes ("Kernels of several operations" in docs/architecture.md). Its emitter reads and writes rows through
/// this and so knows nothing of them: reading a channel evaluates what makes it, writing one evaluates what follows
/// from it.
class FusedRows {
public:
  /// Lanes of one row of the kernel: its channels from `channel` on.
  struct Point {
    /// `again`: the emitter has been here before, and what was made then is loaded.
    Point(const Lanes &lanes, mlir::Value row, mlir::Value channel, bool again = false)
        : lanes(lanes), row(row), channel(channel), again(again) {}

    Lanes lanes;
    mlir::Value row, channel;
    bool again;
    llvm::DenseMap<mlir::Value, mlir::Value> values; ///< what is known, by the kernel's tensor
  };

  FusedRows(KernelContext &context, mlir::Operation *main);

  /// The lanes of `tensor`, an argument of the kernel or made from such. The first read of a point stores what is made
  /// there where the kernel yields it.
  mlir::Value read(Point &point, mlir::Value tensor);
  /// Gives the lanes of a result of the main operation: stores them where the kernel yields it, and computes what
  /// follows. Once per point.
  void write(Point &point, mlir::Value tensor, mlir::Value value);

  /// Channels to a point on a GPU (getAccessWidth of everything with rows of `channels`).
  int64_t getWidth(int64_t channels) const;

private:
  void evaluate(Point &point, mlir::linalg::GenericOp generic);
  mlir::Value load(Point &point, mlir::Value tensor, mlir::ValueRange indices);
  void store(Point &point, mlir::Value tensor, mlir::Value value);
  bool isKnown(const Point &point, mlir::Value tensor) const;

  KernelContext &context;
  llvm::SmallVector<mlir::linalg::GenericOp> following; ///< what follows from the main operation, in order
  llvm::MapVector<mlir::Value, std::pair<KernelOperand, mlir::Value>> views;
};

} // namespace adjc

#endif
