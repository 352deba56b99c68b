//===- Elementwise.h - elementwise operations that passes build -------------------------------------------*- C++
//-*-===//
#ifndef ADJC_FORM_ELEMENTWISE_H
#define ADJC_FORM_ELEMENTWISE_H

#include "mlir/IR/Builders.h"

namespace adjc {

/// left + right as a linalg.generic of left's type. With `vector`, right has only left's last dimension and is added to
/// every row.
mlir::Value addElementwise(mlir::OpBuilder &b, mlir::Location loc, mlir::Value left, mlir::Value right, bool vector);

} // namespace adjc

#endif
