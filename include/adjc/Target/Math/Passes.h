//===- Passes.h - functions of f32 as arithmetic ------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_TARGET_MATH_PASSES_H
#define ADJC_TARGET_MATH_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "adjc/Target/Math/Passes.h.inc"

} // namespace adjc

#endif
