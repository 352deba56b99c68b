//===- Passes.td - forming kernels ---------------------------------------------------------------------------------===//
#ifndef ADJC_FORM_PASSES_TD
#define ADJC_FORM_PASSES_TD

include "mlir/Pass/PassBase.td"

def FusePointwise : Pass<"adj-fuse-pointwise", "::mlir::ModuleOp"> {
  let summary = "Fuses chains of elementwise operations on token rows";
  let description = [{
    Spells residuals, biases and conversions as `linalg.generic` (and linear layers as products), then joins operations of which one takes the other's
    result, row by row (upstream's elementwise fusion). What is used elsewhere too, such as a value on the tape, is one more result. A value stored in
    bf16 is rounded for its consumers as before. Nothing is joined over an operation that takes memory, where more would be held meanwhile than before.
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numFused", "fused", "operations joined with the one before">];
}

def FormKernels : Pass<"adj-form-kernels", "::mlir::ModuleOp"> {
  let summary = "Outlines what programs compute into kernels and matrix products";
  let description = [{
    After this pass only `adj.dispatch` and `adj.gemm` compute in a program; loops, views (`ssm.split`, `ssm.concat`), parameters and carries stay. Equal
    kernels are one. A kernel computes one operation and, where its emitter takes them along (`fusedOperand`, `fusedResult`), the elementwise ones beside it
    on the same rows. A bias is added in a kernel after its product; `adj.accumulate` joins what makes its value: a product adds to the
    gradient, and so does a kernel of partial sums or of scattered rows.

    Where an operand in bf16 meets a parameter, the product reads the parameter's working copy; `adj.program @prepare`, added when there is one, makes all of
    them (docs/precision.md).
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "different kernels">];
}

#endif
