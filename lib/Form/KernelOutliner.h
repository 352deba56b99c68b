//===- KernelOutliner.h - from an operation to a kernel and its dispatch ------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_FORM_KERNELOUTLINER_H
#define ADJC_LIB_FORM_KERNELOUTLINER_H

#include "adj/AdjOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace adjc {

/// Makes kernels, each only once.
class KernelOutliner {
public:
  explicit KernelOutliner(mlir::ModuleOp module);

  /// Replaces `ops` (groupAround) by one dispatch of a kernel that computes them (their results that others
  /// use), in the place of the last.
  mlir::LogicalResult outline(llvm::ArrayRef<mlir::Operation *> ops);
  /// Replaces `op`, whose only result is accumulated, by a dispatch that adds to `parameter`'s gradient. A null `op`:
  /// the kernel adds `value` itself.
  mlir::LogicalResult outlineAccumulate(mlir::Operation *op, mlir::Value value, mlir::StringAttr parameter,
                                        mlir::OpBuilder &builder);

  unsigned size() const { return kernels.size(); }

private:
  /// A kernel under construction.
  struct Body {
    mlir::Block *block = nullptr;
    llvm::SetVector<mlir::Value> inputs;
    mlir::IRMapping mapping;
  };
  /// Makes `value` available in the kernel: as an argument, or, when it is nothing but a size or constant, by making it
  /// there.
  void bring(mlir::Value value, Body &body, mlir::OpBuilder &builder);
  /// An uninitialised tensor of `value`'s type, sized as the kernel's arguments are.
  void bringEmpty(mlir::Value value, Body &body, mlir::OpBuilder &builder);
  mlir::Operation *cloneInto(mlir::Operation *op, Body &body, mlir::OpBuilder &builder);
  /// The kernel itself, or an equal one made before.
  mlir::adj::KernelOp intern(mlir::adj::KernelOp kernel, llvm::StringRef base);

  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  llvm::SmallVector<mlir::adj::KernelOp> kernels;
  llvm::StringMap<unsigned> counts;
};

} // namespace adjc

#endif
