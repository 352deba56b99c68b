// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A row of logits is a block's work. The loss, and the target's own cotangent, are written once, by the first thread; the second after a barrier, since
// another thread wrote that place before.
// CHECK-LABEL: func.func @loss(
// CHECK-SAME:    attributes {adj.shared_bytes = 64 : i64, adj.threads = 256 : i64}
// CHECK:         } else {
// CHECK-COUNT-5:   gpu.shuffle xor
// CHECK:           math.exp
// CHECK-COUNT-5:   gpu.shuffle xor
// CHECK:           math.log
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK:           scf.if %[[FIRST]] {
// CHECK-NEXT:        memref.store
// CHECK-NEXT:      }
// CHECK:           scf.for
// CHECK:             memref.store
// CHECK:           gpu.barrier
// CHECK-NEXT:      scf.if %[[FIRST]] {
// CHECK:             memref.store
adj.kernel @loss {
^bb0(%l: tensor<?x97xf32, #adj.blocks<"mini", 1>>, %t: tensor<?xi32, #adj.blocks<"mini", 1>>, %s: tensor<f32>):
  %loss, %d = adj.cross_entropy %l, %t, %s : (tensor<?x97xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>)
    -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x97xf32, #adj.blocks<"mini", 1>>)
  adj.yield %loss, %d : tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x97xf32, #adj.blocks<"mini", 1>>
}
