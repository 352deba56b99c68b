//===- Passes.h - deriving the adjoint ----------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_ADJOINT_PASSES_H
#define ADJC_ADJOINT_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Adjoint/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Adjoint/Passes.h.inc"

/// Attaches AdjointOpInterface to elementwise linalg.generic.
void registerLinalgAdjoint(mlir::DialectRegistry &registry);
/// Attaches AdjointOpInterface to the conversions of tensors between f32 and bf16, arith.truncf and arith.extf.
void registerConversionAdjoints(mlir::DialectRegistry &registry);

} // namespace adjc

#endif
