//===- Passes.td - kernels become LLVM dialect ---------------------------------------------------------------------===//
#ifndef ADJC_TARGET_CPU_PASSES_TD
#define ADJC_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def AdjKernelsToLLVM : Pass<"adj-kernels-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Converts kernels (cf, arith, math, vector, memref, func) to the LLVM dialect and adds their entry points.";
  let description = [{
    A kernel's function becomes the internal `@name.body`, with plain pointers for its rank-0 memrefs. The exported `@name` takes a const adj_kernel_args * (runtime/include/adjrt/abi.h),
    unpacks it and calls the body.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
