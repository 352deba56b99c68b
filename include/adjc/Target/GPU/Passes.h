//===- Passes.h - kernels become NVVM dialect ---------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_TARGET_GPU_PASSES_H
#define ADJC_TARGET_GPU_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace adjc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "adjc/Target/GPU/Passes.h.inc"

/// From the func.funcs of adj-lower-kernels{target=gpu} to the NVVM and LLVM dialects: the pipeline `adj-gpu-to-nvvm`.
void buildGpuPipeline(mlir::OpPassManager &manager);

} // namespace adjc

#endif
