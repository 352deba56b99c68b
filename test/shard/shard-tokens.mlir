// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens %s | FileCheck %s

// A convolution starts from the tail it is handed and hands its own over; its adjoint does the same with the cotangents, and reads the
// tail that the forward convolution received. The forward program holds what the tails depend on, and nothing else.

// CHECK-LABEL: adj.program @forward
// CHECK-SAME:    %[[RESETS:[a-z0-9]+]]: tensor<?x?xi8>
// CHECK:         ssm.repeat 2
// CHECK:           %[[IN:.*]] = adj.carried "conv1d0/tail" : tensor<?x3x8xf32>
// CHECK:           %[[Y:.*]], %[[OUT:.*]] = ssm.conv1d %{{.*}} tail %[[IN]] resets %[[RESETS]]
// CHECK:           adj.hand_over "conv1d0/tail", %[[OUT]]
// CHECK:           ssm.yield %{{[a-z0-9]+}} : tensor<?x?x8xf32>
// CHECK-NOT:     adj.lm_loss_adjoint
// CHECK-NOT:     adj.accumulate
// CHECK-NOT:     cotangent

// CHECK-LABEL: adj.program @gradient
// CHECK:         adj.hand_over "conv1d0/tail"
// CHECK:         adj.lm_loss_adjoint
// CHECK:         ssm.repeat 2
// CHECK:           %[[CIN:.*]] = adj.carried cotangent "conv1d0/tail"
// CHECK:           %[[TAIL:.*]] = adj.carried "conv1d0/tail"
// CHECK:           %{{.*}}, %[[COUT:.*]] = adj.conv1d_adjoint %{{.*}} tail %[[TAIL]] tail_cotangent %[[CIN]] resets
// CHECK:           adj.hand_over cotangent "conv1d0/tail", %[[COUT]]
ssm.model @convolutions(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x0 = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %x = ssm.repeat 2 iter(%r = %x0 : tensor<?x?x8xf32>) {
    %w = ssm.parameter "layers.{layer}.conv" <normal, 0.0, 0.1> : tensor<8x1x4xf32>
    %o = ssm.conv1d %r, %w : (tensor<?x?x8xf32>, tensor<8x1x4xf32>) -> tensor<?x?x8xf32>
    %next = ssm.residual %r, %o : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %x, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
