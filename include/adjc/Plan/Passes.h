//===- Passes.h - policies and memory -----------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_PASSES_H
#define ADJC_PLAN_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Plan/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Plan/Passes.h.inc"

} // namespace adjc

#endif
