//===- Passes.td - expanding named layers --------------------------------------------------------------------------===//
#ifndef ADJC_EXPAND_PASSES_TD
#define ADJC_EXPAND_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandLayers : Pass<"ssm-expand-layers"> {
  let summary = "Spells named layers out";
  let description = [{
    `ssm.selective_scan` becomes `ssm.scan` over (b, t, d, n), with A = -exp(A_log) computed once as a (d, n) tensor and all else, softplus, skip and gate included, in
    its regions. `ssm.silu` and `ssm.gate` become elementwise `linalg.generic`. All other layers stay.

    softplus(v) is spelled max(v, 0) + log1p(exp(min(-v, v))) and silu(v) v / (1 + exp(min(-v, 80))): neither they nor their derivatives overflow.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::ssm::SsmDialect", "::mlir::tensor::TensorDialect"];
}

#endif
