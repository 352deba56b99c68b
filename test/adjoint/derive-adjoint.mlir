// RUN: adj-opt --adj-derive-adjoint %s | FileCheck %s

// A model becomes one program: forward, then adjoints from the loss back. The repeat's adjoint takes as slices what forward stacked; parameters
// are read again; every parameter's cotangent goes straight to its gradient.

// CHECK-LABEL: adj.program @gradient
// CHECK-SAME:    %[[TOKENS:[a-z0-9]+]]: tensor<?x?xi32>, %[[TARGETS:[a-z0-9]+]]: tensor<?x?xi32>, %{{.*}}: tensor<?x?xi8>, %[[SCALE:[a-z0-9]+]]: tensor<f32>
// CHECK:         %[[E:.*]] = ssm.parameter "embed"
// CHECK:         %[[X0:.*]] = ssm.embedding %[[TOKENS]], %[[E]]
// CHECK:         %[[X:.*]]:3 = ssm.repeat 3 iter(%[[R:.*]] = %[[X0]]
// CHECK:           %[[W:.*]] = ssm.parameter "layers.{layer}.norm"
// CHECK:           %[[N:.*]] = ssm.rms_norm %[[R]], %[[W]]
// CHECK:           %[[NEXT:.*]] = ssm.residual
// CHECK:           ssm.yield %[[NEXT]], %{{.*}}, %{{.*}} : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>
// CHECK-NOT:     ssm.lm_loss
// CHECK:         %[[DX:.*]], %[[DHEAD:.*]] = adj.lm_loss_adjoint %[[X]]#0, %[[E]], %[[TARGETS]], %[[SCALE]]
// CHECK-DAG:     adj.accumulate "embed", %[[DHEAD]]
// CHECK:         %[[DX0:.*]] = ssm.repeat 3 iter(%[[G:.*]] = %[[DX]]
// CHECK-SAME:      reverse
// CHECK-DAG:       %[[LW:.*]] = ssm.parameter "layers.{layer}.linear"
// CHECK-DAG:       adj.matmul %[[G]], %[[LW]] :
// CHECK-DAG:       %[[DLW:.*]] = adj.matmul %[[G]], %{{.*}} {transpose_a}
// CHECK-DAG:       adj.accumulate "layers.{layer}.linear", %[[DLW]]
// CHECK:           adj.rms_norm_adjoint
// CHECK:           adj.accumulate "layers.{layer}.norm"
// CHECK:         %[[DE:.*]] = adj.embedding_adjoint %[[TOKENS]], %[[DX0]]
// CHECK:         adj.accumulate "embed", %[[DE]]
ssm.model @stack(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x0 = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %x = ssm.repeat 3 iter(%r = %x0 : tensor<?x?x8xf32>) {
    %w = ssm.parameter "layers.{layer}.norm" <ones> : tensor<8xf32>
    %n = ssm.rms_norm %r, %w eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    %lw = ssm.parameter "layers.{layer}.linear" <normal, 0.0, 0.1> : tensor<8x8xf32>
    %o = ssm.linear %n, %lw : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
    %next = ssm.residual %r, %o : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %x, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
