//===- Passes.td - deriving the adjoint ----------------------------------------------------------------------------===//
#ifndef ADJC_ADJOINT_PASSES_TD
#define ADJC_ADJOINT_PASSES_TD

include "mlir/Pass/PassBase.td"

def DeriveAdjoint : Pass<"adj-derive-adjoint", "::mlir::ModuleOp"> {
  let summary = "Derives the gradient program of every model";
  let description = [{
    Replaces each `ssm.model` by an `adj.program @gradient` on whole sequences: the model's operations, then their adjoints from the loss
    back to the parameters, built through AdjointOpInterface. `ssm.repeat` becomes two: the forward one stacks the values that its
    adjoint reads, the reverse one takes them as slices. Parameters, constants, views and what depends on parameters alone are computed again instead.

    Fails on an operation without an adjoint between a parameter and the loss, naming it.
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numSaved", "values-saved", "values a layer keeps for its adjoint">];
}

#endif
