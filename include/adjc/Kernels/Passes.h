//===- Passes.h - kernels become functions ------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_PASSES_H
#define ADJC_KERNELS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "adjc/Kernels/Passes.h.inc"

} // namespace adjc

#endif
