//===- Passes.h - forming kernels ---------------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_FORM_PASSES_H
#define ADJC_FORM_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Form/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Form/Passes.h.inc"

/// What adj-fuse-pointwise does; adds the number of fusions to `fused`.
mlir::LogicalResult fusePointwise(mlir::ModuleOp module, unsigned &fused);
/// What adj-fuse-pointwise and adj-form-kernels do, for the planner, which forms kernels to see what they need.
mlir::LogicalResult formKernels(mlir::ModuleOp module);

} // namespace adjc

#endif
