//===- Passes.h - what activations are stored in -------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PRECISION_PASSES_H
#define ADJC_PRECISION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Precision/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Precision/Passes.h.inc"

} // namespace adjc

#endif
