// RUN: adj-opt %s --ssm-expand-layers --canonicalize | FileCheck %s

// silu(v) = v / (1 + exp(min(-v, 80)))
// CHECK-LABEL: func.func @silu
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x8xf32>)
func.func @silu(%x: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK-DAG: %[[BOUND:.*]] = arith.constant 8.000000e+01 : f32
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[T:.*]] = tensor.dim %[[X]], %c1
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%[[B]], %[[T]]) : tensor<?x?x8xf32>
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel"]
  // CHECK-SAME: ins(%[[X]] : tensor<?x?x8xf32>) outs(%[[EMPTY]] : tensor<?x?x8xf32>)
  // CHECK-NEXT: ^bb0(%[[V:.*]]: f32, %{{.*}}: f32):
  // CHECK-NEXT: %[[NEG:.*]] = arith.negf %[[V]]
  // CHECK-NEXT: %[[MIN:.*]] = arith.minimumf %[[NEG]], %[[BOUND]]
  // CHECK-NEXT: %[[EXP:.*]] = math.exp %[[MIN]]
  // CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[EXP]], %[[ONE]]
  // CHECK-NEXT: %[[SILU:.*]] = arith.divf %[[V]], %[[SUM]]
  // CHECK-NEXT: linalg.yield %[[SILU]]
  %y = ssm.silu %x : tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// CHECK-LABEL: func.func @gate
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x8xf32>, %[[Z:.*]]: tensor<?x?x8xf32>)
func.func @gate(%x: tensor<?x?x8xf32>, %z: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // CHECK: linalg.generic {{.*}} ins(%[[X]], %[[Z]] : tensor<?x?x8xf32>, tensor<?x?x8xf32>)
  // CHECK-NEXT: ^bb0(%[[V:.*]]: f32, %[[W:.*]]: f32, %{{.*}}: f32):
  // CHECK: %[[SILU:.*]] = arith.divf %[[W]],
  // CHECK-NEXT: arith.mulf %[[V]], %[[SILU]]
  %y = ssm.gate %x, %z : tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// A residual is left alone.
// CHECK-LABEL: func.func @residual
func.func @residual(%x: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // CHECK-NEXT: ssm.residual
  %y = ssm.residual %x, %x : tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// CHECK-LABEL: func.func @full
// CHECK-SAME: (%[[X:[^:]*]]: {{[^,]*}}, %[[DT:[^:]*]]: {{[^,]*}}, %[[ALOG:[^:]*]]: {{[^,]*}}, %[[B:[^:]*]]: {{[^,]*}}, %[[C:[^:]*]]: {{[^,]*}}, %[[D:[^:]*]]: {{[^,]*}}, %[[Z:[^:]*]]: {{[^,]*}}, %[[BIAS:[^:]*]]: tensor<8xf32>)
func.func @full(%x: tensor<?x?x8xf32>, %dt: tensor<?x?x8xf32>, %A: tensor<8x2xf32>, %B: tensor<?x?x2xf32>, %C: tensor<?x?x2xf32>,
                %D: tensor<8xf32>, %z: tensor<?x?x8xf32>, %bias: tensor<8xf32>) -> tensor<?x?x8xf32> {
  // A = -exp(A_log), outside of the scan.
  // CHECK: %[[A:.*]] = linalg.generic {{.*}} ins(%[[ALOG]] : tensor<8x2xf32>)
  // CHECK: %[[EXP:.*]] = math.exp
  // CHECK-NEXT: arith.negf %[[EXP]]
  // CHECK: %[[Y:.*]] = ssm.scan over [b, t, d, n] state [d, n] : f32
  // CHECK-NEXT: ins(%[[X]] as [b, t, d], %[[DT]] as [b, t, d], %[[B]] as [b, t, n], %[[C]] as [b, t, n], %[[A]] as [d, n], %[[D]] as [d], %[[Z]] as [b, t, d], %[[BIAS]] as [d] :
  // CHECK-SAME: outs([b, t, d] : tensor<?x?x8xf32>) step {
  // CHECK-NEXT: ^bb0(%[[SX:.*]]: f32, %[[SDT:.*]]: f32, %[[SB:.*]]: f32, %{{.*}}: f32, %[[SA:.*]]: f32, %{{.*}}: f32, %{{.*}}: f32, %[[SBIAS:.*]]: f32, %{{.*}}: i1):
  // delta = softplus(dt + dt_bias)
  // The constant stays in the region: what a region uses is its own.
  // CHECK-NEXT: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-NEXT: %[[V:.*]] = arith.addf %[[SDT]], %[[SBIAS]]
  // CHECK-NEXT: %[[NEG:.*]] = arith.negf %[[V]]
  // CHECK-NEXT: %[[MIN:.*]] = arith.minimumf %[[NEG]], %[[V]]
  // CHECK-NEXT: %[[E:.*]] = math.exp %[[MIN]]
  // CHECK-DAG: %[[LOG:.*]] = math.log1p %[[E]]
  // CHECK-DAG: %[[MAX:.*]] = arith.maximumf %[[V]], %[[ZERO]]
  // CHECK: %[[DELTA:.*]] = arith.addf %[[MAX]], %[[LOG]]
  // CHECK-NEXT: %[[DA:.*]] = arith.mulf %[[DELTA]], %[[SA]]
  // CHECK-NEXT: %[[TRANSITION:.*]] = math.exp %[[DA]]
  // CHECK-NEXT: %[[DX:.*]] = arith.mulf %[[DELTA]], %[[SX]]
  // CHECK-NEXT: %[[U:.*]] = arith.mulf %[[DX]], %[[SB]]
  // CHECK-NEXT: ssm.yield %[[TRANSITION]], %[[U]]
  // CHECK: } read {
  // CHECK-NEXT: ^bb0(%[[RX:.*]]: f32, %{{.*}}: f32, %{{.*}}: f32, %[[RC:.*]]: f32, %{{.*}}: f32, %[[RD:.*]]: f32, %[[RZ:.*]]: f32, %{{.*}}: f32, %[[H:.*]]: f32, %{{.*}}: i1):
  // CHECK: %[[CH:.*]] = arith.mulf %[[RC]], %[[H]]
  // CHECK-NEXT: %[[SUM:.*]] = ssm.sum [3] %[[CH]]
  // CHECK-NEXT: %[[SKIP:.*]] = arith.mulf %[[RD]], %[[RX]]
  // CHECK-NEXT: %[[R:.*]] = arith.addf %[[SUM]], %[[SKIP]]
  // CHECK: %[[GATE:.*]] = arith.divf %[[RZ]],
  // CHECK-NEXT: %[[O:.*]] = arith.mulf %[[R]], %[[GATE]]
  // CHECK-NEXT: ssm.yield %[[O]]
  // CHECK: return %[[Y]]
  %y = ssm.selective_scan %x, %dt, %A, %B, %C skip %D gate %z dt_bias %bias
     : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<8x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>, tensor<8xf32>, tensor<?x?x8xf32>, tensor<8xf32>)
       -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// Without the optional operands there is neither skip nor gate.
// CHECK-LABEL: func.func @bare
func.func @bare(%x: tensor<?x?x8xf32>, %A: tensor<8x2xf32>, %B: tensor<?x?x2xf32>) -> tensor<?x?x8xf32> {
  // CHECK: ssm.scan
  // CHECK: } read {
  // CHECK: %[[SUM:.*]] = ssm.sum [3]
  // CHECK-NEXT: ssm.yield %[[SUM]] : f32
  %y = ssm.selective_scan %x, %x, %A, %B, %B
     : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<8x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
