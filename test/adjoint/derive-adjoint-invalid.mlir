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

// Elementwise operations are differentiated one result at a time: they are joined later (adj-fuse-pointwise).
#rows = affine_map<(b, t, c) -> (b, t, c)>
ssm.model @two_results(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @below {{has an adjoint only when elementwise with one result}}
  %y:2 = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<?x?x8xf32>) outs(%x, %x : tensor<?x?x8xf32>, tensor<?x?x8xf32>) {
    ^bb0(%v: f32, %o: f32, %p: f32):
      linalg.yield %v, %v : f32, f32
  } -> (tensor<?x?x8xf32>, tensor<?x?x8xf32>)
  %loss = ssm.lm_loss %y#0, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

// The cotangent of a number for each sequence would be a sum over its tokens and channels.
#rows = affine_map<(b, t, c) -> (b, t, c)>
#sequence = affine_map<(b, t, c) -> (b)>
ssm.model @broadcast(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %one = ssm.parameter "scale" <ones> : tensor<1xf32>
  // expected-error @below {{has an adjoint only where inputs are elementwise or a vector added to every row}}
  %y = linalg.generic {indexing_maps = [#sequence, #rows], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%one : tensor<1xf32>) outs(%x : tensor<?x?x8xf32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.mulf %v, %o : f32
      linalg.yield %s : f32
  } -> tensor<?x?x8xf32>
  %loss = ssm.lm_loss %y, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

// Carries are given after the adjoint, not before.
ssm.model @convolution_with_a_tail(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %w = ssm.parameter "conv" <zeros> : tensor<8x1x4xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %tail = adj.carried "conv0/tail" : tensor<?x3x8xf32>
  // expected-error @below {{is differentiated before it is given a tail (run adj-derive-adjoint before adj-shard-tokens)}}
  %y = ssm.conv1d %x, %w tail %tail : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x3x8xf32>) -> tensor<?x?x8xf32>
  %loss = ssm.lm_loss %y, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

ssm.model @scan_with_an_initial_state(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %state = adj.carried "scan0/state" : tensor<?x8xf32>
  // expected-error @below {{must be differentiated with checkpoints and before it is given carries (run adj-derive-adjoint before adj-shard-tokens)}}
  %y = ssm.scan over [b, t, d] state [d] : f32
      ins(%x as [b, t, d] : tensor<?x?x8xf32>) outs([b, t, d] : tensor<?x?x8xf32>) initial(%state : tensor<?x8xf32>)
  step {
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  } read {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }
  %loss = ssm.lm_loss %y, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
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
