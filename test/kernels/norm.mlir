// RUN: adj-opt --adj-lower-kernels %s | FileCheck %s

// The function's operands: pointers of inputs and outputs, then batch, tokens, rows and the range of groups.
// CHECK-LABEL: func.func @norm(
// CHECK-SAME:    %[[X:[^:]*]]: memref<f32> {llvm.noalias}, %[[W:[^:]*]]: memref<f32> {llvm.noalias}, %[[Y:[^:]*]]: memref<f32> {llvm.noalias},
// CHECK-SAME:    %{{.*}}: index, %{{.*}}: index, %[[ROWS:.*]]: index, %[[FIRST:.*]]: index, %[[LAST:.*]]: index)
// CHECK-DAG:     memref.reinterpret_cast %[[X]] to offset: [0], sizes: [%[[ROWS]], 40], strides: [100, 1]
// CHECK-DAG:     memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [%[[ROWS]], 40], strides: [40, 1]
// CHECK:         scf.for %{{.*}} = %[[FIRST]] to %[[LAST]]
// CHECK:           scf.for
//                  The sum of squares: chunks of lanes, lanes, and what is left of the 40 channels.
// CHECK:             scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>)
// CHECK:               scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>)
// CHECK:             vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7] : vector<16xf32>, vector<16xf32>
// CHECK:             scf.for {{.*}} iter_args({{.*}}) -> (f32)
// CHECK:             math.sqrt
// CHECK:             vector.store
// CHECK:             memref.store
adj.kernel @norm attributes {row_strides = array<i64: 100, 0, 40>} {
^bb0(%x: tensor<?x?x40xf32>, %w: tensor<40xf32>):
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x40xf32>, tensor<40xf32>) -> tensor<?x?x40xf32>
  adj.yield %y : tensor<?x?x40xf32>
}

// Channels in whole vectors leave nothing for a scalar loop. Group g writes row g of the partial sums.
// CHECK-LABEL: func.func @norm_adjoint(
// CHECK:         scf.for %[[GROUP:.*]] = %{{.*}} to
// CHECK:           vector.store %{{.*}}, %[[PARTIALS:.*]][%[[GROUP]], %{{.*}}]
// CHECK:           scf.for
// CHECK:             scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>)
// CHECK-NOT:         -> (f32, f32)
// CHECK:             vector.store %{{.*}}, %[[PARTIALS]][%[[GROUP]], %{{.*}}]
// CHECK-NOT:         memref.store
adj.kernel @norm_adjoint {
^bb0(%x: tensor<?x?x64xf32>, %w: tensor<64xf32>, %dy: tensor<?x?x64xf32>):
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %dy eps 1.0e-5 : (tensor<?x?x64xf32>, tensor<64xf32>, tensor<?x?x64xf32>)
    -> (tensor<?x?x64xf32>, tensor<?x64xf32, #adj.blocks<"rows", 64>>)
  adj.yield %dx, %dw : tensor<?x?x64xf32>, tensor<?x64xf32, #adj.blocks<"rows", 64>>
}
