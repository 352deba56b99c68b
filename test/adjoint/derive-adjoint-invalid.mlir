// RUN: adj-opt --adj-derive-adjoint --split-input-file --verify-diagnostics %s

// A layer that was not expanded has no adjoint of its own.
ssm.model @unexpanded(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @below {{has no adjoint but lies between a parameter and the loss}}
  %s = ssm.silu %x : tensor<?x?x8xf32>
  %loss = ssm.lm_loss %s, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

// A part that is split off and not used would have no cotangent.
ssm.model @unused_part(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %h = ssm.parameter "head" <zeros> : tensor<16x4xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @below {{part 1 does not reach the loss}}
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
  %loss = ssm.lm_loss %a, %h, %targets : (tensor<?x?x4xf32>, tensor<16x4xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
