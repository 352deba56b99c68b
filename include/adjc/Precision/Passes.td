//===- Passes.td - what activations are stored in ------------------------------------------------------------------===//
#ifndef ADJC_PRECISION_PASSES_TD
#define ADJC_PRECISION_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerPrecision : Pass<"ssm-lower-precision", "::mlir::ModuleOp"> {
  let summary = "Stores activations in bf16";
  let description = [{
    With `dtype=bf16` the values that a model's operations hand to each other are stored in bf16; all arithmetic stays f32 (docs/precision.md). f32 stay
    the residual stream (an embedding's result, sums, what `ssm.repeat` carries, and views of these), everything of a static shape, states, and the loss.
    Elementwise `linalg.generic`s extend what they load and round what they store; the regions of `ssm.scan` take f32 as before. A product's operand that
    is f32 is rounded first. With `dtype=f32` nothing changes.

    Runs after `ssm-expand-layers` and before `adj-derive-adjoint`: cotangents get the precision of what they are cotangents of.
  }];
  let options = [Option<"dtype", "dtype", "std::string", "\"f32\"", "f32 or bf16">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [Statistic<"numLowered", "values-lowered", "values stored in bf16">];
}

#endif
