//===- ScalarFunctions.h - how activations are spelled ------------------------------------------------*- C++ -*-===//
// Every function is spelled so that neither it nor the derivative that the scalar rules make of it overflows.
#ifndef ADJC_LIB_EXPAND_SCALARFUNCTIONS_H
#define ADJC_LIB_EXPAND_SCALARFUNCTIONS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace adjc {

/// v / (1 + exp(-v)).
mlir::Value silu(mlir::ImplicitLocOpBuilder &b, mlir::Value v);

/// v (1 + erf(v / sqrt(2))) / 2.
mlir::Value gelu(mlir::ImplicitLocOpBuilder &b, mlir::Value v);

/// v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3))) / 2.
mlir::Value geluTanh(mlir::ImplicitLocOpBuilder &b, mlir::Value v);

/// log(1 + exp(v)).
mlir::Value softplus(mlir::ImplicitLocOpBuilder &b, mlir::Value v);

} // namespace adjc

#endif
