//===- Elementwise.h - a scalar function, element by element ------------------------------------------*- C++ -*-===//
#ifndef ADJC_EXPAND_ELEMENTWISE_H
#define ADJC_EXPAND_ELEMENTWISE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace adjc {

using ScalarFunction = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

/// A linalg.generic that applies `function` to tensors of one shape, element by element. `element`: the result's
/// element type, where it is not the first operand's.
mlir::Value elementwise(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange operands, ScalarFunction function,
                        mlir::Type element = {});

} // namespace adjc

#endif
