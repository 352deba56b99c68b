//===- Reverse.h - reverse mode over one program ------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_ADJOINT_REVERSE_H
#define ADJC_LIB_ADJOINT_REVERSE_H

#include "adj/AdjOps.h"
#include "mlir/IR/PatternMatch.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/SetVector.h"

namespace adjc {

/// Reverse mode over one program.
class Reverse {
public:
  explicit Reverse(mlir::MLIRContext *context) : rewriter(context) {}

  /// Differentiates the operations of a block, the last one first: emits adjoints at the builder's insertion point.
  llvm::LogicalResult block(llvm::ArrayRef<mlir::Operation *> forward, mlir::OpBuilder &b);

  /// Adds to a value's cotangent. A parameter's goes straight to its gradient: nothing the size of a parameter is held.
  void addCotangent(mlir::OpBuilder &b, mlir::Value value, mlir::Value cotangent);

  unsigned numSaved = 0;

private:
  /// The adjoint of a stack is a stack in reverse order (ReverseRepeat.cpp).
  llvm::LogicalResult repeat(mlir::ssm::RepeatOp op, mlir::OpBuilder &b);
  llvm::LogicalResult miniSequences(mlir::adj::MiniSequencesOp op, llvm::ArrayRef<mlir::Value> g, mlir::OpBuilder &b);
  /// Makes the forward repeat's values that `body` reads available in it: computed again or as slices of what forward
  /// stacks.
  mlir::ssm::RepeatOp stackAndSlice(mlir::ssm::RepeatOp forward, mlir::Block &body,
                                    llvm::SmallVectorImpl<mlir::Value> &stacks);

  mlir::IRRewriter rewriter;
  llvm::DenseMap<mlir::Value, mlir::Value> cotangents;
};

} // namespace adjc

#endif
