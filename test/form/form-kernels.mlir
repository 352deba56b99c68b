// RUN: adj-opt %s --adj-form-kernels | FileCheck %s

// Equal operations of different layers share a kernel; a carry's name does not tell kernels apart.
// CHECK-DAG: adj.kernel @rms_norm_0
// CHECK-NOT: adj.kernel @rms_norm_1
// CHECK-DAG: adj.kernel @conv1d_0
// CHECK-NOT: adj.kernel @conv1d_1
// CHECK-NOT: carry_name

// A bias is added after the product.
// CHECK-LABEL: adj.program @linear
adj.program @linear(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %w = ssm.parameter "w" <ones> : tensor<4x8xf32>
  %b = ssm.parameter "b" <ones> : tensor<4xf32>
  %n = ssm.parameter "n" <ones> : tensor<8xf32>
  // CHECK: %[[X:.*]] = adj.dispatch @embedding_0(%{{.*}}, %{{.*}})
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: %[[N:.*]] = adj.dispatch @rms_norm_0(%[[X]], %{{.*}})
  %h = ssm.rms_norm %x, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  // CHECK: %[[H:.*]] = adj.dispatch @rms_norm_0(%[[N]], %{{.*}})
  %h2 = ssm.rms_norm %h, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  // CHECK: %[[Y:.*]] = adj.gemm %[[H]], %[[W:.*]] {transpose_b} : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  // CHECK: %[[Z:.*]] = adj.dispatch @generic_0(%[[Y]], %{{.*}})
  %y = ssm.linear %h2, %w, %b : (tensor<?x?x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<?x?x4xf32>
  // CHECK: adj.gemm %[[Z]], %[[H]] into "w" {transpose_a}
  %dw = adj.matmul %y, %h2 {transpose_a} : (tensor<?x?x4xf32>, tensor<?x?x8xf32>) -> tensor<4x8xf32>
  adj.accumulate "w", %dw : tensor<4x8xf32>
  // CHECK: %[[P:.*]] = adj.dispatch @column_sum_0(%[[Z]])
  %p = adj.column_sum %y : (tensor<?x?x4xf32>) -> tensor<?x4xf32, #adj.blocks<"rows", 64>>
  // CHECK: adj.dispatch @sum_partials_0(%[[P]]) into "b"
  %db = adj.sum_partials %p : (tensor<?x4xf32, #adj.blocks<"rows", 64>>) -> tensor<4xf32>
  adj.accumulate "b", %db : tensor<4xf32>
  // CHECK: adj.dispatch @embedding_adjoint_0(%{{.*}}, %[[H]]) into "table"
  %dt = adj.embedding_adjoint %tokens, %h2 : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<16x8xf32>
  adj.accumulate "table", %dt : tensor<16x8xf32>
  // A value without a way to add itself is added by a kernel of its own.
  // CHECK: adj.dispatch @accumulate_0(%{{.*}}) into "n"
  adj.accumulate "n", %n : tensor<8xf32>
}

// Carries and views stay; what is not used is not computed.
// CHECK-LABEL: adj.program @carries
adj.program @carries(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: %[[PARTS:.*]]:2 = ssm.split
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
  %w = ssm.parameter "taps" <ones> : tensor<4x1x3xf32>
  // CHECK: %[[TAIL:.*]] = adj.carried "c0/tail"
  %t0 = adj.carried "c0/tail" : tensor<?x2x4xf32>
  // CHECK: %[[N0:.*]] = adj.dispatch @conv1d_0(%[[PARTS]]#0, %{{.*}}, %[[TAIL]], %{{.*}}) : {{.*}} -> tensor<?x2x4xf32>
  %y0, %n0 = ssm.conv1d %a, %w tail %t0 resets %resets {carry_name = "c0"}
    : (tensor<?x?x4xf32>, tensor<4x1x3xf32>, tensor<?x2x4xf32>, tensor<?x?xi8>) -> (tensor<?x?x4xf32>, tensor<?x2x4xf32>)
  // CHECK: adj.hand_over "c0/tail", %[[N0]]
  adj.hand_over "c0/tail", %n0 : tensor<?x2x4xf32>
  %t1 = adj.carried "c1/tail" : tensor<?x2x4xf32>
  // CHECK: adj.dispatch @conv1d_0(%[[PARTS]]#1
  %y1, %n1 = ssm.conv1d %b, %w tail %t1 resets %resets {carry_name = "c1"}
    : (tensor<?x?x4xf32>, tensor<4x1x3xf32>, tensor<?x2x4xf32>, tensor<?x?xi8>) -> (tensor<?x?x4xf32>, tensor<?x2x4xf32>)
  adj.hand_over "c1/tail", %n1 : tensor<?x2x4xf32>
  // CHECK-NOT: adj.dispatch
  %unused = ssm.residual %y0, %y1 : tensor<?x?x4xf32>
}
