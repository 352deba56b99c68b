// RUN: adj-opt --ssm-expand-layers --adj-derive-adjoint --adj-shard-tokens --split-input-file --verify-diagnostics %s | FileCheck %s

// The adjoint of mini-sequences is mini-sequences: of the forward loop only the input is kept, what it made is computed again, and weights' cotangents are
// accumulated inside. Nothing 32 wide is stacked.

// CHECK-LABEL: adj.program @forward
// CHECK:         ssm.repeat 3
// CHECK:           adj.mini_sequences
// CHECK-NOT:       adj.accumulate
// CHECK-NOT:     adj.mini_sequences
// CHECK-LABEL: adj.program @gradient
// CHECK:         ssm.repeat 3 iter(%[[R:.*]] = %{{.*}} : tensor<?x?x8xf32>) stacks(tensor<3x?x?x8xf32>) {
// CHECK:           adj.mini_sequences (%{{.*}} = %[[R]] : tensor<?x?x8xf32>)
// CHECK:           ssm.yield %{{.*}}, %[[R]]
// CHECK:         ssm.repeat 3 iter(%[[DY:.*]] = %{{.*}} : tensor<?x?x8xf32>) slices(%[[X:.*]] = %{{.*}} : tensor<3x?x?x8xf32>) reverse {
// CHECK-DAG:       %[[UP:.*]] = ssm.parameter "layers.{layer}.up"
// CHECK-DAG:       %[[DOWN:.*]] = ssm.parameter "layers.{layer}.down"
// CHECK:           %[[DX:.*]] = adj.mini_sequences (%[[XR:.*]] = %[[X]] : tensor<?x?x8xf32>, %[[DYR:.*]] = %[[DY]] : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
// CHECK:             %[[U:.*]] = ssm.linear %[[XR]], %[[UP]]
// CHECK:             %[[H:.*]] = linalg.generic
// CHECK-NOT:         ssm.linear
// CHECK-DAG:         %[[DH:.*]] = adj.matmul %[[DYR]], %[[DOWN]] :
// CHECK-DAG:         %[[DDOWN:.*]] = adj.matmul %[[DYR]], %[[H]] {transpose_a}
// CHECK:             adj.accumulate "layers.{layer}.down", %[[DDOWN]]
// CHECK:             %[[DU:.*]] = linalg.generic {{.*}} ins(%[[U]], %[[DH]]
// CHECK-DAG:         %[[DXR:.*]] = adj.matmul %[[DU]], %[[UP]] :
// CHECK-DAG:         %[[DUP:.*]] = adj.matmul %[[DU]], %[[XR]] {transpose_a}
// CHECK:             adj.accumulate "layers.{layer}.up", %[[DUP]]
// CHECK:             adj.write_rows 0, %[[DXR]]
// CHECK:           ssm.residual %[[DY]], %[[DX]]
ssm.model @stack(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %taps = ssm.parameter "taps" <ones> : tensor<8x1x2xf32>
  %x0 = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %x = ssm.repeat 3 iter(%r = %x0 : tensor<?x?x8xf32>) {
    %up = ssm.parameter "layers.{layer}.up" <ones> : tensor<32x8xf32>
    %down = ssm.parameter "layers.{layer}.down" <ones> : tensor<8x32xf32>
    %o = ssm.mlp silu %r up %up down %down : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
    %next = ssm.residual %r, %o : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  // The carry keeps the stack in the first sweep.
  %c = ssm.conv1d %x, %taps : (tensor<?x?x8xf32>, tensor<8x1x2xf32>) -> tensor<?x?x8xf32>
  %loss = ssm.lm_loss %c, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

ssm.model @computed_weight(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %up = ssm.parameter "up" <ones> : tensor<32x8xf32>
  %down = ssm.parameter "down" <ones> : tensor<8x32xf32>
  %activated = ssm.silu %up : tensor<32x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @below {{reads a value from outside that is neither a parameter nor rows it was given; its cotangent, a sum over mini-sequences, is not built yet}}
  %o = ssm.mlp silu %x up %activated down %down : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  %loss = ssm.lm_loss %o, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
