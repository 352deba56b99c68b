//===- Passes.h - kernels become LLVM dialect ---------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_TARGET_CPU_PASSES_H
#define ADJC_TARGET_CPU_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace adjc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "adjc/Target/CPU/Passes.h.inc"

/// From the func.funcs of adj-lower-kernels to the LLVM dialect: the pipeline `adj-cpu-to-llvm`.
void buildCpuPipeline(mlir::OpPassManager &manager);

} // namespace adjc

#endif
