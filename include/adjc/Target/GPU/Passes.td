//===- Passes.td - kernels become NVVM dialect ---------------------------------------------------------------------===//
#ifndef ADJC_TARGET_GPU_PASSES_TD
#define ADJC_TARGET_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def AdjKernelsToNVVM : Pass<"adj-kernels-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Converts a GPU's kernels (cf, arith, math, vector, memref, gpu, func) to the NVVM and LLVM dialects.";
  let description = [{
    A kernel's function keeps its name and becomes an entry: its rank-0 memrefs are plain pointers to global memory, and `adj.threads` is the most threads that a block may have.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

#endif
