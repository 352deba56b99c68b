//===- Passes.td - kernels become LLVM dialect ---------------------------------------------------------------------===//
#ifndef ADJC_TARGET_CPU_PASSES_TD
#define ADJC_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def AdjExpandMath : Pass<"adj-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Replaces math functions by polynomials and lets multiplications and additions contract.";
  let description = [{
    f32 functions without an instruction (exp, log1p, tanh, ...) become straight-line arithmetic on scalars or vectors, so that a shared object needs no
    mathematics library. Each misses at most a few units of the last place (test/unit/Kernels/MathAccuracyTest.cpp prints how many). Floating-point operations get the fast-math flag `contract` and no other: sums keep their order.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def AdjKernelsToLLVM : Pass<"adj-kernels-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Converts kernels (cf, arith, math, vector, memref, func) to the LLVM dialect and adds their entry points.";
  let description = [{
    A kernel's function becomes the internal `@name.body`, with plain pointers for its rank-0 memrefs. The exported `@name` takes a const adj_kernel_args * (runtime/include/adjrt/abi.h),
    unpacks it and calls the body.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
