//===- Passes.td - expanding named layers --------------------------------------------------------------------------===//
#ifndef ADJC_EXPAND_PASSES_TD
#define ADJC_EXPAND_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandLayers : Pass<"ssm-expand-layers"> {
  let summary = "Spells named layers out";
  let description = [{
    `ssm.selective_scan` becomes `ssm.scan` over (b, t, d, n), with A = -exp(A_log) computed once as a (d, n) tensor and all else, softplus, skip and gate included, in
    its regions. `ssm.silu` and `ssm.gate` become elementwise `linalg.generic`. All other layers stay.

    softplus(v) is max(v, 0) + log1p(exp(-|v|)) and silu(v) is v / (1 + exp(-v)): neither overflows where its value does not.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::ssm::SsmDialect", "::mlir::tensor::TensorDialect"];
}

#endif
