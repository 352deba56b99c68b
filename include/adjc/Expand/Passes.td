//===- Passes.td - expanding named layers --------------------------------------------------------------------------===//
#ifndef ADJC_EXPAND_PASSES_TD
#define ADJC_EXPAND_PASSES_TD

include "mlir/Pass/PassBase.td"

def DropUnreached : Pass<"ssm-drop-unreached", "::mlir::ModuleOp"> {
  let summary = "Drops what a model's loss does not depend on";
  let description = [{
    Comes first: later passes may take for granted that every operation of a model lies on the way to its loss. A stack does not carry what does not reach
    the loss. A parameter that does not reach the loss is an error: it would have no gradient.
  }];
  let statistics = [Statistic<"numDropped", "dropped", "Operations that were dropped">];
}

def ExpandLayers : Pass<"ssm-expand-layers"> {
  let summary = "Spells named layers out";
  let description = [{
    `ssm.selective_scan` becomes `ssm.scan` over (b, t, d, n), with A = -exp(A_log) computed once as a (d, n) tensor and all else, softplus, skip and gate included, in
    its regions. `ssm.silu` and `ssm.gate` become elementwise `linalg.generic`. `ssm.mlp` becomes `adj.mini_sequences`, of a length not chosen yet, whose
    body is products and one elementwise operation. All other layers stay.

    softplus(v) is spelled max(v, 0) + log1p(exp(min(-v, v))) and silu(v) v / (1 + exp(min(-v, 80))): neither they nor their derivatives overflow.
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::ssm::SsmDialect", "::mlir::tensor::TensorDialect"];
}

def ExpandComplex : Pass<"ssm-expand-complex"> {
  let summary = "Spells complex arithmetic in recurrences out";
  let description = [{
    In the regions of `ssm.scan` and `adj.scan_adjoint`, complex arithmetic becomes arithmetic on real and imaginary parts. What stays of the complex dialect is
    `complex.re` and `complex.im` of region arguments and `complex.create` of yielded values. Runs after `adj-derive-adjoint`: complex functions are
    differentiated as such.

    A quotient is x conj(y) / |y|^2 and a modulus sqrt(re^2 + im^2), so both take |z|^2 within the range of f32.

    ```mlir
    %p = complex.mul %x, %y : complex<f32>
    // becomes
    %re = arith.subf (re x * re y), (im x * im y)
    %im = arith.addf (re x * im y), (im x * re y)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::complex::ComplexDialect", "::mlir::math::MathDialect",
                           "::mlir::ssm::SsmDialect"];
}

#endif
