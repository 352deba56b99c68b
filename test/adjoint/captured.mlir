// RUN: adj-opt --adj-derive-adjoint %s | FileCheck %s

// What all layers of a stack read of the program around it has their cotangents' sum, which the reverse stack carries. A carried value that nothing
// reads after the stack starts from zeros there; so does the sum. A value is handed on once: the other place gets a copy.
// CHECK-LABEL: adj.program @gradient
// CHECK:         %[[E2:.*]] = ssm.parameter "embed"
// CHECK:         %[[OUTER:.*]] = ssm.embedding
// CHECK:         %{{.*}}:{{[0-9]}} = ssm.repeat 2 iter(%[[P:.*]] = %[[OUTER]] : {{.*}}, %[[Q:.*]] = %[[OUTER]] : {{.*}}
// CHECK:           %[[NEW:.*]] = ssm.residual %[[P]], %[[OUTER]]
// CHECK:           %[[COPY:.*]] = linalg.generic {{.*}} ins(%[[P]] :
// CHECK:           ssm.yield %[[NEW]], %[[COPY]]
// CHECK:         %[[DX2:.*]], %{{.*}} = adj.lm_loss_adjoint
// CHECK:         %[[ZERO1:.*]] = linalg.generic
// CHECK:           linalg.yield %cst
// CHECK:         %[[ZERO2:.*]] = linalg.generic
// CHECK:         %[[D:.*]]:3 = ssm.repeat 2 iter(%[[DP:.*]] = %[[DX2]] : {{.*}}, %[[DQ:.*]] = %[[ZERO1]] : {{.*}}, %[[SUM:.*]] = %[[ZERO2]] : {{.*}}) reverse
// CHECK:           %[[NEXTSUM:.*]] = ssm.residual %[[SUM]], %[[DP]]
// CHECK:           ssm.yield %{{.*}}, %{{.*}}, %[[NEXTSUM]]
// CHECK:         ssm.residual %[[D]]#2, %[[D]]#0
ssm.model @captured(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %a, %b = ssm.repeat 2 iter(%p = %x : tensor<?x?x8xf32>, %q = %x : tensor<?x?x8xf32>) {
    %h = ssm.residual %p, %x : tensor<?x?x8xf32>
    ssm.yield %h, %p : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %a, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
