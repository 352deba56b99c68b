//===- Passes.td - forming kernels ---------------------------------------------------------------------------------===//
#ifndef ADJC_FORM_PASSES_TD
#define ADJC_FORM_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormKernels : Pass<"adj-form-kernels", "::mlir::ModuleOp"> {
  let summary = "Outlines what programs compute into kernels and matrix products";
  let description = [{
    After this pass only `adj.dispatch` and `adj.gemm` compute in a program; loops, views (`ssm.split`, `ssm.concat`), parameters and carries stay. Equal
    kernels are one. A bias is added in a kernel after its product; `adj.accumulate` joins what makes its value: a product adds to the
    gradient, and so does a kernel of partial sums or of scattered rows.

    Where an operand in bf16 meets a parameter, the product reads the parameter's working copy; `adj.program @prepare`, added when there is one, makes all of
    them (docs/precision.md).
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "different kernels">];
}

#endif
