//===- Passes.h - forming kernels ------------------------------------------------------------------------*- C++
//-*-===//
#ifndef ADJC_FORM_PASSES_H
#define ADJC_FORM_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Form/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Form/Passes.h.inc"

/// What the pass does, for the planner, which forms kernels to see what they need. Returns the number of kernels in
/// `kernels`.
mlir::LogicalResult formKernels(mlir::ModuleOp module, unsigned &kernels);

} // namespace adjc

#endif
