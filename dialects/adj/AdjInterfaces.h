//===- AdjInterfaces.h - the adjoint and the carry interface -------------------------------------------*- C++ -*-===//
#ifndef ADJ_ADJINTERFACES_H
#define ADJ_ADJINTERFACES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Support/LLVM.h"

namespace mlir::adj {

/// How a carry of one token range combines with that of the range before it.
enum class Composition {
  Affine,   ///< out = (product of transitions) in + local: a scan's state
  LastRows, ///< the last rows of concat(in, own): a convolution's tail
};

/// One thing an operation carries across a token boundary.
struct Carry {
  std::string name;      ///< unique within the operation: "state", "tail"
  RankedTensorType type; ///< batch is the leading dynamic dimension; no token dimension: constant in size
  Composition composition;
  /// What a reset does to it: the carry into a reset token is replaced by zero, forward and adjoint alike. Every carry
  /// known so far has this rule; one that has not will say so here.
  bool zeroAtReset = true;
};

} // namespace mlir::adj

#include "adj/AdjInterfaces.h.inc"

#endif
