// RUN: adj-opt --adj-derive-adjoint %s | FileCheck %s

// The adjoint recurrence of h = exp(dt A) h + dt x, y = sum_n C h, derived from the two regions. What dt gets from all n is summed before it is
// multiplied on; A, which lacks batch and tokens, gets partial sums per sequence; C, which lacks the lane d, per block of 64 channels.

// CHECK-LABEL: adj.program @gradient
// CHECK:         %[[OUT:.*]], %[[CHECKPOINTS:.*]] = ssm.scan
// CHECK:         adj.scan_adjoint
// CHECK-SAME:      checkpoints(%[[CHECKPOINTS]]
// CHECK-SAME:      checkpoint_every = 16
// CHECK-SAME:      differentiated = array<i64: 0, 1, 2, 3>
// CHECK-SAME:      lane = 2
// CHECK-SAME:      -> tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<1x?x?x2xf32>, tensor<?x4x2xf32> step
// CHECK:         adjoint {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32, %[[DT:.*]]: f32, %[[C:.*]]: f32, %[[A:.*]]: f32, %[[G:.*]]: f32, %[[BEFORE:.*]]: f32, %[[AFTER:.*]]: f32, %[[FROM:.*]]: f32, %{{.*}}: i1):
// CHECK-DAG:       %[[DTA:.*]] = arith.mulf %[[DT]], %[[A]]
// CHECK-DAG:       %[[DECAY:.*]] = math.exp %[[DTA]]
// CHECK-DAG:       %[[DC:.*]] = arith.mulf %[[G]], %[[AFTER]]
// CHECK-DAG:       %[[Q:.*]] = arith.mulf %[[G]], %[[C]]
// CHECK-DAG:       %[[P:.*]] = arith.addf %[[Q]], %[[FROM]]
// CHECK-DAG:       %[[DDECAY:.*]] = arith.mulf %[[P]], %[[BEFORE]]
// CHECK-DAG:       %[[PSUM:.*]] = ssm.sum [3] %[[P]]
// CHECK-DAG:       %[[DX:.*]] = arith.mulf %[[PSUM]], %[[DT]]
// CHECK-DAG:       %[[DDTA:.*]] = arith.mulf %[[DDECAY]], %[[DECAY]]
// CHECK-DAG:       %[[DA:.*]] = arith.mulf %[[DDTA]], %[[DT]]
// CHECK-DAG:       %[[NEXT:.*]] = arith.mulf %[[P]], %[[DECAY]]
// CHECK-DAG:       %[[DCSUM:.*]] = ssm.sum [2] %[[DC]]
// CHECK:           ssm.yield %[[NEXT]], %[[DX]], %{{.*}}, %[[DCSUM]], %[[DA]]
// CHECK:         adj.sum_partials %{{.*}} : (tensor<1x?x?x2xf32>) -> tensor<?x?x2xf32>
// CHECK:         adj.sum_partials %{{.*}} : (tensor<?x4x2xf32>) -> tensor<4x2xf32>
ssm.model @scan(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x10xf32>
  %a = ssm.parameter "A" <normal, 0.0, 0.1> : tensor<4x2xf32>
  %h = ssm.parameter "head" <normal, 0.0, 0.1> : tensor<16x4xf32>
  %x0 = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x10xf32>) -> tensor<?x?x10xf32>
  %x, %dt, %c = ssm.split %x0 : tensor<?x?x10xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x2xf32>
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %dt as [b, t, d], %c as [b, t, n], %a as [d, n] : tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x2xf32>, tensor<4x2xf32>)
      outs([b, t, d] : tensor<?x?x4xf32>)
  step {
  ^bb0(%x_: f32, %dt_: f32, %c_: f32, %a_: f32, %reset: i1):
    %exponent = arith.mulf %dt_, %a_ : f32
    %decay = math.exp %exponent : f32
    %u = arith.mulf %dt_, %x_ : f32
    ssm.yield %decay, %u : f32, f32
  } read {
  ^bb0(%x_: f32, %dt_: f32, %c_: f32, %a_: f32, %h_: f32, %reset: i1):
    %ch = arith.mulf %c_, %h_ : f32
    %r = ssm.sum [3] %ch : f32
    ssm.yield %r : f32
  }
  %loss = ssm.lm_loss %y, %h, %targets : (tensor<?x?x4xf32>, tensor<16x4xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
