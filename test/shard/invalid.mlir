// RUN: adj-opt --adj-shard-tokens --verify-diagnostics %s

// What is handed from shard to shard is named by adj-derive-adjoint; without a name, two layers' carries would be one.
adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %taps = ssm.parameter "taps" <ones> : tensor<8x1x4xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @below {{carries across a token boundary but has no carry name (run adj-derive-adjoint first)}}
  %y = ssm.conv1d %x, %taps : (tensor<?x?x8xf32>, tensor<8x1x4xf32>) -> tensor<?x?x8xf32>
}
