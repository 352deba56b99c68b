// RUN: adj-opt %s -ssm-expand-layers -ssm-lower-precision=dtype=bf16 | FileCheck %s
// RUN: adj-opt %s -ssm-expand-layers -ssm-lower-precision=dtype=f32 | FileCheck %s --check-prefix=SAME
// RUN: adj-opt %s -ssm-expand-layers "-ssm-lower-precision=dtype=bf16" -adj-derive-adjoint | FileCheck %s --check-prefix=ADJOINT
// RUN: not adj-opt %s -ssm-lower-precision=dtype=f16 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: dtype=f16 is not known; give f32 or bf16
// SAME-NOT: bf16

// CHECK-LABEL: ssm.model @m
ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<10x8xf32>
  // The residual stream stays f32.
  // CHECK: %[[X:.*]] = ssm.embedding {{.*}} -> tensor<?x?x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.repeat 2 iter(%[[R:.*]] = %[[X]] : tensor<?x?x8xf32>)
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    %nw = ssm.parameter "layers.{layer}.norm" <ones> : tensor<8xf32>
    %w = ssm.parameter "layers.{layer}.w" <normal, 0.0, 0.1> : tensor<16x8xf32>
    %cw = ssm.parameter "layers.{layer}.conv" <normal, 0.0, 0.1> : tensor<8x1x4xf32>
    %a = ssm.parameter "layers.{layer}.a" <ones> : tensor<8xf32>
    %ow = ssm.parameter "layers.{layer}.o" <normal, 0.0, 0.1> : tensor<8x8xf32>
    // CHECK: %[[N:.*]] = ssm.rms_norm %[[R]], %{{.*}} : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xbf16>
    %n = ssm.rms_norm %r, %nw eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    // CHECK: ssm.linear %[[N]], %{{.*}} : (tensor<?x?x8xbf16>, tensor<16x8xf32>) -> tensor<?x?x16xbf16>
    %p = ssm.linear %n, %w : (tensor<?x?x8xf32>, tensor<16x8xf32>) -> tensor<?x?x16xf32>
    // CHECK: ssm.split %{{.*}} : tensor<?x?x16xbf16> -> tensor<?x?x8xbf16>, tensor<?x?x8xbf16>
    %u, %z = ssm.split %p : tensor<?x?x16xf32> -> tensor<?x?x8xf32>, tensor<?x?x8xf32>
    // CHECK: ssm.conv1d %{{.*}} : (tensor<?x?x8xbf16>, tensor<8x1x4xf32>) -> tensor<?x?x8xbf16>
    %c = ssm.conv1d %u, %cw : (tensor<?x?x8xf32>, tensor<8x1x4xf32>) -> tensor<?x?x8xf32>
    // Regions take and yield f32.
    // CHECK: ssm.scan over [b, t, d] state [d] : f32
    // CHECK-NEXT: tensor<?x?x8xbf16>, tensor<8xf32>) outs([b, t, d] : tensor<?x?x8xbf16>)
    // CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: i1):
    %s = ssm.scan over [b, t, d] state [d] : f32
         ins(%c as [b, t, d], %a as [d] : tensor<?x?x8xf32>, tensor<8xf32>) outs([b, t, d] : tensor<?x?x8xf32>)
         step {
         ^bb0(%c_: f32, %a_: f32, %reset: i1):
           %t = math.tanh %a_ : f32
           ssm.yield %t, %c_ : f32, f32
         } read {
         ^bb0(%c_: f32, %a_: f32, %h: f32, %reset: i1):
           ssm.yield %h : f32
         }
    // An elementwise operation extends what it loads and rounds what it stores.
    // CHECK: linalg.generic
    // CHECK: ^bb0(%[[S:.*]]: bf16, %[[Z:.*]]: bf16, %{{.*}}: bf16):
    // CHECK: arith.extf %[[S]] : bf16 to f32
    // CHECK: arith.extf %[[Z]] : bf16 to f32
    // CHECK: %[[Q:.*]] = arith.truncf %{{.*}} : f32 to bf16
    // CHECK: linalg.yield %[[Q]] : bf16
    %g = ssm.gate %s, %z : tensor<?x?x8xf32>
    %o = ssm.linear %g, %ow : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
    // CHECK: ssm.residual %[[R]], %{{.*}} : (tensor<?x?x8xf32>, tensor<?x?x8xbf16>) -> tensor<?x?x8xf32>
    %next = ssm.residual %r, %o : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  // A product reads the residual stream rounded.
  // CHECK: %[[T:.*]] = arith.truncf %{{.*}} : tensor<?x?x8xf32> to tensor<?x?x8xbf16>
  // CHECK: ssm.lm_loss %[[T]], %{{.*}} : (tensor<?x?x8xbf16>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  %loss = ssm.lm_loss %y, %table, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// Cotangents have the precision of what they are cotangents of; gradients and partial sums are f32.
// ADJOINT-LABEL: adj.program @gradient
// ADJOINT: adj.lm_loss_adjoint {{.*}} -> (tensor<?x?x8xbf16>, tensor<10x8xf32>)
// ADJOINT: arith.extf %{{.*}} : tensor<?x?x8xbf16> to tensor<?x?x8xf32>
// ADJOINT: ssm.repeat 2 iter(%[[G:.*]] = %{{.*}} : tensor<?x?x8xf32>)
// ADJOINT: arith.truncf %[[G]] : tensor<?x?x8xf32> to tensor<?x?x8xbf16>
// ADJOINT: adj.matmul {{.*}} : (tensor<?x?x8xbf16>, tensor<8x8xf32>) -> tensor<?x?x8xbf16>
// ADJOINT: adj.matmul {{.*}} : (tensor<?x?x8xbf16>, tensor<?x?x8xbf16>) -> tensor<8x8xf32>
// ADJOINT: adj.scan_adjoint
// ADJOINT-SAME: -> tensor<?x?x8xbf16>, tensor<?x8xf32>
// ADJOINT: adj.rms_norm_adjoint {{.*}} : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<?x?x8xbf16>) -> (tensor<?x?x8xf32>, tensor<?x8xf32,
