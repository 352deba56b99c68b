// RUN: adj-opt %s --adj-choose-policies --verify-diagnostics

// A loss is computed mini-sequence by mini-sequence, each adding to the weight's gradient: its cotangent is nowhere as a whole.
adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %dx, %dw = adj.lm_loss_adjoint %x, %table, %targets, %scale
    : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?x8xf32>, tensor<16x8xf32>)
  // expected-error @+1 {{uses a head's cotangent, which is only ever accumulated, never held}}
  %product = adj.matmul %dw, %dw {transpose_a} : (tensor<16x8xf32>, tensor<16x8xf32>) -> tensor<8x8xf32>
  adj.accumulate "table", %dw : tensor<16x8xf32>
}
