// RUN: adj-opt --adj-lower-kernels %s | FileCheck %s

// CHECK-LABEL: func.func @embed(
// CHECK:         %[[TOKEN:.*]] = memref.load %{{.*}} : memref<?xi32
// CHECK:         arith.index_cast %[[TOKEN]] : i32 to index
adj.kernel @embed {
^bb0(%t: tensor<?x?xi32>, %table: tensor<97x40xf32>):
  %y = ssm.embedding %t, %table : (tensor<?x?xi32>, tensor<97x40xf32>) -> tensor<?x?x40xf32>
  adj.yield %y : tensor<?x?x40xf32>
}

// Rows in chunks; in a chunk, the rows of one token are summed before the table is touched.
// CHECK-LABEL: func.func @embed_adjoint(
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             scf.for
// CHECK:               scf.for {{.*}} -> (i1)
// CHECK:               scf.if
adj.kernel @embed_adjoint accumulate {
^bb0(%t: tensor<?x?xi32>, %dy: tensor<?x?x40xf32>):
  %d = adj.embedding_adjoint %t, %dy : (tensor<?x?xi32>, tensor<?x?x40xf32>) -> tensor<97x40xf32>
  adj.yield %d : tensor<97x40xf32>
}

// In place: the logits' own pointer is not used.
// CHECK-LABEL: func.func @loss(
// CHECK-SAME:    %[[LOGITS:[^:]*]]: memref<f32> {llvm.noalias}, %{{[^:]*}}: memref<i32>
// CHECK-NOT:     %[[LOGITS]]
// CHECK:         scf.if
// CHECK:         } else {
// CHECK:           arith.maxnumf
// CHECK:           math.exp
// CHECK:           math.log
// CHECK-NOT:     %[[LOGITS]]
// CHECK:         return
adj.kernel @loss {
^bb0(%l: tensor<?x97xf32, #adj.blocks<"mini", 1>>, %t: tensor<?xi32, #adj.blocks<"mini", 1>>, %s: tensor<f32>):
  %loss, %d = adj.cross_entropy %l, %t, %s : (tensor<?x97xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>)
    -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x97xf32, #adj.blocks<"mini", 1>>)
  adj.yield %loss, %d : tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x97xf32, #adj.blocks<"mini", 1>>
}
