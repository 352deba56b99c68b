//===- Passes.td - functions of f32 as arithmetic --------------------------------------------------------------------===//
#ifndef ADJC_TARGET_MATH_PASSES_TD
#define ADJC_TARGET_MATH_PASSES_TD

include "mlir/Pass/PassBase.td"

def AdjExpandMath : Pass<"adj-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Replaces math functions by polynomials and lets multiplications and additions contract.";
  let description = [{
    f32 functions without an instruction (exp, log1p, tanh, ...) become straight-line arithmetic on scalars or vectors, so that a shared object needs no
    mathematics library, and PTX no libdevice. Each misses at most a few units of the last place (test/unit/Kernels/MathAccuracyTest.cpp prints how many). Floating-point operations get the
    fast-math flag `contract` and no other: sums keep their order.

    With `gpu`, exponentials are the special-function units' ex2.approx (2 units of the last place, of an argument rounded once), log1p is a polynomial up to 1 and lg2.approx beyond, and divisions are approximate (2 units).
  }];
  let options = [Option<"gpu", "gpu", "bool", "false", "For kernels of a GPU">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif
