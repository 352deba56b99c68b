// RUN: adj-opt --adj-derive-adjoint --split-input-file %s | FileCheck %s

// The adjoint recurrence of a complex state takes conjugates: p = q + c, a gets p conj(h), c becomes p conj(a); a function's vjp too.

// CHECK-LABEL: adj.program @gradient
// CHECK:         adjoint {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32, %[[W:.*]]: f32, %[[G:.*]]: f32, %[[BEFORE:.*]]: complex<f32>, %[[AFTER:.*]]: complex<f32>, %[[FROM:.*]]: complex<f32>, %{{.*}}: i1):
// CHECK-DAG:       %[[Z:.*]] = complex.create %[[X]], %[[W]]
// CHECK-DAG:       %[[A:.*]] = complex.exp %[[Z]]
// CHECK-DAG:       %[[ZERO:.*]] = arith.constant 0.0
// CHECK-DAG:       %[[Q:.*]] = complex.create %[[G]], %[[ZERO]]
// CHECK-DAG:       %[[P:.*]] = complex.add %[[Q]], %[[FROM]]
// CHECK-DAG:       %[[CONJ:.*]] = complex.conj %[[BEFORE]]
// CHECK-DAG:       %[[DA:.*]] = complex.mul %[[P]], %[[CONJ]]
// CHECK-DAG:       %[[CONJA:.*]] = complex.conj %[[A]]
// CHECK-DAG:       %[[DZ:.*]] = complex.mul %[[DA]], %{{.*}}
// CHECK-DAG:       %[[NEXT:.*]] = complex.mul %[[P]], %{{.*}}
// CHECK:           ssm.yield %[[NEXT]]
ssm.model @complex(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x4xf32>
  %w = ssm.parameter "w" <normal, 0.0, 0.1> : tensor<4xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x4xf32>) -> tensor<?x?x4xf32>
  %y = ssm.scan over [b, t, d] state [d] : complex<f32>
      ins(%x as [b, t, d], %w as [d] : tensor<?x?x4xf32>, tensor<4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
  step {
  ^bb0(%x_: f32, %w_: f32, %reset: i1):
    %z = complex.create %x_, %w_ : complex<f32>
    %a = complex.exp %z : complex<f32>
    ssm.yield %a, %z : complex<f32>, complex<f32>
  } read {
  ^bb0(%x_: f32, %w_: f32, %h: complex<f32>, %reset: i1):
    %re = complex.re %h : complex<f32>
    ssm.yield %re : f32
  }
  %loss = ssm.lm_loss %y, %e, %targets : (tensor<?x?x4xf32>, tensor<16x4xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

// A dense transition: h[n] = sum_m a[n, m] h[m] + x[n]. The state before varies over m, so W[n, m] gets p[n] h[m]; c[m] = sum_n a[n, m] p[n]. All
// lanes are in one block, however many there are, because a token's states need all of them.

// CHECK-LABEL: adj.program @gradient
// CHECK:         adj.scan_adjoint
// CHECK-SAME:      contracted = 3
// CHECK-SAME:      contracts = 2
// CHECK-SAME:      lane_block = 80
// CHECK:         adjoint {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32, %[[W:.*]]: f32, %[[G:.*]]: f32, %[[BEFORE:.*]]: f32, %[[AFTER:.*]]: f32, %[[FROM:.*]]: f32, %{{.*}}: i1):
// CHECK-NEXT:      %[[P:.*]] = arith.addf %[[G]], %[[FROM]]
// CHECK-NEXT:      %[[DW:.*]] = arith.mulf %[[P]], %[[BEFORE]]
// CHECK-NEXT:      %[[AP:.*]] = arith.mulf %[[P]], %[[W]]
// CHECK-NEXT:      %[[C:.*]] = ssm.sum [2] %[[AP]]
// CHECK-NEXT:      ssm.yield %[[C]], %[[P]], %[[DW]]
ssm.model @dense(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x80xf32>
  %w = ssm.parameter "w" <normal, 0.0, 0.1> : tensor<80x80xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x80xf32>) -> tensor<?x?x80xf32>
  %y = ssm.scan over [b, t, n, m] state [n] contracted m of n : f32
      ins(%x as [b, t, n], %w as [n, m] : tensor<?x?x80xf32>, tensor<80x80xf32>) outs([b, t, n] : tensor<?x?x80xf32>)
  step {
  ^bb0(%x_: f32, %w_: f32, %reset: i1):
    ssm.yield %w_, %x_ : f32, f32
  } read {
  ^bb0(%x_: f32, %w_: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }
  %loss = ssm.lm_loss %y, %e, %targets : (tensor<?x?x80xf32>, tensor<16x80xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
