// RUN: adj-opt %s --adj-form-kernels --split-input-file --verify-diagnostics

adj.program @uncut(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @+1 {{the loss is not cut into mini-sequences; run adj-choose-policies first}}
  %dx, %dw = adj.lm_loss_adjoint %x, %table, %targets, %scale
    : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?x8xf32>, tensor<16x8xf32>)
}

// -----

adj.program @unexpanded(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @+1 {{has no kernel; run ssm-expand-layers and adj-derive-adjoint first}}
  %y = ssm.silu %x : tensor<?x?x8xf32>
}

// -----

adj.program @unexpanded_mlp(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %down = ssm.parameter "down" <ones> : tensor<8x16xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @+1 {{has no kernel; run ssm-expand-layers and adj-derive-adjoint first}}
  %y = ssm.mlp silu %x up %table down %down : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<8x16xf32>) -> tensor<?x?x8xf32>
}

// -----

adj.program @held(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @+1 {{a table's cotangent can only be accumulated}}
  %d = adj.embedding_adjoint %tokens, %x : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<16x8xf32>
  adj.accumulate "table", %d : tensor<16x8xf32>
  adj.accumulate "table", %d : tensor<16x8xf32>
}

// -----

adj.program @without_results(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // expected-error @+1 {{computes nothing that a kernel could}}
  adj.await to_host behind 0
}
