// RUN: adj-opt %s --ssm-expand-layers | FileCheck %s

// An MLP is a loop over mini-sequences of a length not chosen yet; only the input and the result are whole.
// CHECK-LABEL: func.func @gated
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x8xf32>, %[[GATE:.*]]: tensor<32x8xf32>, %[[UP:.*]]: tensor<32x8xf32>, %[[DOWN:.*]]: tensor<8x32xf32>)
func.func @gated(%x: tensor<?x?x8xf32>, %gate: tensor<32x8xf32>, %up: tensor<32x8xf32>, %down: tensor<8x32xf32>) -> tensor<?x?x8xf32> {
  // CHECK-NEXT: %[[Y:.*]] = adj.mini_sequences (%[[R:.*]] = %[[X]] : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
  // CHECK-NEXT:   %[[G:.*]] = ssm.linear %[[R]], %[[GATE]] : {{.*}} -> tensor<?x32xf32, #adj.blocks<"mini", 1>>
  // CHECK-NEXT:   %[[U:.*]] = ssm.linear %[[R]], %[[UP]] :
  // CHECK:        %[[H:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[G]], %[[U]] :
  // CHECK-NEXT:   ^bb0(%[[G0:.*]]: f32, %[[U0:.*]]: f32, %{{.*}}: f32):
  // CHECK:          %[[SILU:.*]] = arith.divf %[[G0]],
  // CHECK-NEXT:     %[[P:.*]] = arith.mulf %[[SILU]], %[[U0]]
  // CHECK-NEXT:     linalg.yield %[[P]]
  // CHECK:        %[[O:.*]] = ssm.linear %[[H]], %[[DOWN]] : {{.*}} -> tensor<?x8xf32, #adj.blocks<"mini", 1>>
  // CHECK-NEXT:   adj.write_rows 0, %[[O]]
  // CHECK:      return %[[Y]]
  %y = ssm.mlp silu %x gate %gate up %up down %down
     : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// v / 2 (1 + erf(v / sqrt(2))), on one projection with its bias.
// CHECK-LABEL: func.func @plain
func.func @plain(%x: tensor<?x?x8xf32>, %up: tensor<32x8xf32>, %a: tensor<32xf32>, %down: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // CHECK: ssm.linear %{{.*}}, %{{.*}}, %{{.*}} : {{.*}}, tensor<32x8xf32>, tensor<32xf32>)
  // CHECK-NOT: ssm.linear
  // CHECK: ^bb0(%[[V:.*]]: f32, %{{.*}}: f32):
  // CHECK: arith.constant 0.707106769 : f32
  // CHECK: math.erf
  // CHECK: ssm.linear %{{.*}}, %{{.*}}, %{{.*}} : {{.*}}, tensor<8x32xf32>, tensor<8xf32>)
  %y = ssm.mlp gelu %x up %up bias %a down %down bias %b
     : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<32xf32>, tensor<8x32xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return
}

// CHECK-LABEL: func.func @tanh
func.func @tanh(%x: tensor<?x?x8xf32>, %up: tensor<32x8xf32>, %down: tensor<8x32xf32>) {
  // CHECK-DAG: arith.constant 4.471500e-02 : f32
  // CHECK-DAG: arith.constant 0.797884583 : f32
  // CHECK: math.tanh
  %y = ssm.mlp gelu_pytorch_tanh %x up %up down %down : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return
}
