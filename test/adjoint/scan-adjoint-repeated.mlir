// RUN: adj-opt --adj-derive-adjoint %s | FileCheck %s

// The cotangent of what a sum adds up is the same for all of the sum's points, and comes from each: the term w, which does not vary over n, is added
// up for each of the 3 n, so its cotangent is 3 times that of the sum, and summed over d by the map of w.

// CHECK:         adjoint {
// CHECK-NEXT:    ^bb0(%{{.*}}: f32, %{{.*}}: f32, %[[G:.*]]: f32, %{{.*}}: f32, %{{.*}}: f32, %{{.*}}: f32, %{{.*}}: i1):
// CHECK:           %[[THREE:.*]] = arith.constant 3.000000e+00 : f32
// CHECK:           %[[DW:.*]] = arith.mulf %[[G]], %[[THREE]]
// CHECK:           ssm.yield %{{.*}}, %{{.*}}, %[[DW]]
ssm.model @scan(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x4xf32>
  %w = ssm.parameter "w" <normal, 0.0, 0.1> : tensor<4xf32>
  %a = ssm.parameter "a" <constant, 0.5> : tensor<4x3xf32>
  %h = ssm.parameter "head" <normal, 0.0, 0.1> : tensor<16x4xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x4xf32>) -> tensor<?x?x4xf32>
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%a as [d, n], %w as [d] : tensor<4x3xf32>, tensor<4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
  step {
  ^bb0(%a_: f32, %w_: f32, %reset: i1):
    ssm.yield %a_, %a_ : f32, f32
  } read {
  ^bb0(%a_: f32, %w_: f32, %state: f32, %reset: i1):
    %v = arith.addf %state, %w_ : f32
    %s = ssm.sum [3] %v : f32
    ssm.yield %s : f32
  }
  %o = ssm.residual %x, %y : tensor<?x?x4xf32>
  %loss = ssm.lm_loss %o, %h, %targets : (tensor<?x?x4xf32>, tensor<16x4xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
