//===- Elementwise.h - elementwise operations that passes build ---------------------------------------*- C++ -*-===//
#ifndef ADJC_FORM_ELEMENTWISE_H
#define ADJC_FORM_ELEMENTWISE_H

#include "adj/AdjOps.h"
#include "mlir/IR/Builders.h"

namespace adjc {

/// left + right as a linalg.generic of type `type`: that of left, or the same stored in the other of f32 and bf16. The
/// sum is f32, and rounded once where it is stored in bf16. With `vector`, right has only left's last dimension and is
/// added to every row.
mlir::Value addElementwise(mlir::OpBuilder &b, mlir::Location loc, mlir::Value left, mlir::Value right,
                           mlir::RankedTensorType type, bool vector);

/// Spells residuals, biases and conversions of token rows as linalg.generic, and linear layers as products.
void spellOutElementwise(mlir::adj::ProgramOp program);

} // namespace adjc

#endif
