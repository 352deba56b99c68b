//===- Passes.h - expanding named layers ---------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_EXPAND_PASSES_H
#define ADJC_EXPAND_PASSES_H

#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Expand/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Expand/Passes.h.inc"

} // namespace adjc

#endif
