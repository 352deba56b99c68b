// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A block per row. Does an earlier row have this row's token? Then that row's block sums them all, in the order of the rows, and adds the sum to the table once: no
// atomics, and equal runs give equal bits.
// CHECK-LABEL: func.func @embed_adjoint(
// CHECK-SAME:    adj.threads = 256 : i64
// CHECK-NOT:     atomic
// CHECK:         %[[ROW:.*]] = arith.addi %{{.*}}, %block_id_x : index
// CHECK:         %[[TOKEN:.*]] = memref.load %{{.*}}[%[[ROW]]] : memref<?xi32
// CHECK:         scf.for %[[EARLIER:.*]] = %thread_id_x to %[[ROW]] step %c256
// CHECK:           %[[OTHER:.*]] = memref.load %{{.*}}[%[[EARLIER]]] : memref<?xi32
// CHECK:           arith.cmpi eq, %[[OTHER]], %[[TOKEN]] : i32
// CHECK:         scf.if
//                  This row's cotangent, then 256 later rows at a time: which have the token is said in shared memory.
// CHECK:           scf.for %[[C:.*]] = %thread_id_x to %c40 step %c256
// CHECK:             memref.load %{{.*}}[%[[ROW]], %[[C]]] : memref<?x40xf32
// CHECK:           scf.for
// CHECK:             memref.store %{{.*}}, %[[SAME:.*]][%thread_id_x] : memref<256xi8, 3>
// CHECK:             gpu.barrier
// CHECK:             scf.for %[[LATER:.*]] = %c0 to
// CHECK:               memref.load %[[SAME]][%[[LATER]]]
//                  Added to the table's row.
// CHECK:           %[[TARGET:.*]] = arith.index_cast %[[TOKEN]]
// CHECK:           %[[OLD:.*]] = memref.load %[[TABLE:.*]][%[[TARGET]], %[[E:.*]]] : memref<97x40xf32
// CHECK:           arith.addf %[[OLD]], %{{.*}} : f32
// CHECK:           memref.store %{{.*}}, %[[TABLE]][%[[TARGET]], %[[E]]]
adj.kernel @embed_adjoint accumulate {
^bb0(%t: tensor<?x?xi32>, %dy: tensor<?x?x40xf32>):
  %d = adj.embedding_adjoint %t, %dy : (tensor<?x?xi32>, tensor<?x?x40xf32>) -> tensor<97x40xf32>
  adj.yield %d : tensor<97x40xf32>
}
