// RUN: adj-opt --adj-lower-kernels %s | FileCheck %s

// CHECK-LABEL: func.func @column_sum(
// CHECK:         scf.for %[[GROUP:.*]] =
// CHECK:           vector.store %{{.*}}, %{{.*}}[%[[GROUP]], %{{.*}}]
adj.kernel @column_sum {
^bb0(%x: tensor<?x?x64xf32>):
  %p = adj.column_sum %x : (tensor<?x?x64xf32>) -> tensor<?x64xf32, #adj.blocks<"rows", 64>>
  adj.yield %p : tensor<?x64xf32, #adj.blocks<"rows", 64>>
}

// Two levels: chunks of partial sums, then the chunks' sums; the result joins the gradient.
// CHECK-LABEL: func.func @sum_partials(
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             scf.for {{.*}} -> (vector<16xf32>)
// CHECK:               scf.for {{.*}} -> (vector<16xf32>)
// CHECK:             vector.load
// CHECK:             vector.store
adj.kernel @sum_partials accumulate {
^bb0(%x: tensor<?x64xf32, #adj.blocks<"rows", 64>>):
  %p = adj.sum_partials %x : (tensor<?x64xf32, #adj.blocks<"rows", 64>>) -> tensor<64xf32>
  adj.yield %p : tensor<64xf32>
}

// Partial sums of values with several dimensions per token: each row is summed as one run of elements.
// CHECK-LABEL: func.func @sum_to_matrices(
// CHECK:         sizes: [%{{.*}}, 16], strides: [16, 1]
// CHECK:         scf.for {{.*}} -> (vector<16xf32>)
adj.kernel @sum_to_matrices {
^bb0(%p: tensor<4x?x?x2x8xf32>):
  %s = adj.sum_partials %p : (tensor<4x?x?x2x8xf32>) -> tensor<?x?x2x8xf32>
  adj.yield %s : tensor<?x?x2x8xf32>
}
