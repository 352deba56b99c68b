// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A row of logits is a block's work. One pass has its maximum and its sum, which is scaled whenever the maximum grows; the block's come from the threads'. The
// loss, and the target's own cotangent, are written once, by the first thread; the second after a barrier, since another thread wrote that place before.
// CHECK-LABEL: func.func @loss(
// CHECK-SAME:    attributes {adj.shared_bytes = 64 : i64, adj.threads = 256 : i64}
// CHECK:         } else {
// CHECK:           %[[PAIR:.*]]:2 = scf.for {{.*}} iter_args(%[[KNOWN:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}) -> (f32, f32) {
// CHECK-NEXT:        %[[X:.*]] = memref.load
// CHECK-NEXT:        %[[MAX:.*]] = arith.maxnumf %[[KNOWN]], %[[X]]
// CHECK-NEXT:        %[[D:.*]] = arith.subf %[[X]], %[[MAX]]
// CHECK-NEXT:        %[[WEIGHT:.*]] = math.exp %[[D]]
// CHECK-NEXT:        %[[LESS:.*]] = arith.subf %[[KNOWN]], %[[MAX]]
// CHECK-NEXT:        %[[FACTOR:.*]] = math.exp %[[LESS]]
// CHECK-NEXT:        %[[SCALED:.*]] = arith.mulf %[[SUM]], %[[FACTOR]]
// CHECK-NEXT:        arith.addf %[[SCALED]], %[[WEIGHT]]
// CHECK:           gpu.shuffle xor %[[PAIR]]#0
// CHECK-COUNT-4:   gpu.shuffle xor
// CHECK:           math.exp
// CHECK-COUNT-5:   gpu.shuffle xor
// CHECK:           math.log
// CHECK:           memref.store
// CHECK:           scf.for
// CHECK:             math.exp
// CHECK:             memref.store
// CHECK:           gpu.barrier
// CHECK-NEXT:      scf.if
// CHECK:             memref.store
adj.kernel @loss {
^bb0(%l: tensor<?x97xf32, #adj.blocks<"mini", 1>>, %t: tensor<?xi32, #adj.blocks<"mini", 1>>, %s: tensor<f32>):
  %loss, %d = adj.cross_entropy %l, %t, %s : (tensor<?x97xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>)
    -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x97xf32, #adj.blocks<"mini", 1>>)
  adj.yield %loss, %d : tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x97xf32, #adj.blocks<"mini", 1>>
}

// Where the rows allow it a thread reads 16 bytes at once, and writes the cotangent, stored in bf16, by 8.
// CHECK-LABEL: func.func @wide(
// CHECK:         scf.for {{.*}} -> (f32, f32) {
// CHECK:           vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK:         scf.for
// CHECK:           vector.load {{.*}} vector<4xf32>
// CHECK:           vector.store {{.*}} {alignment = 8 : i64} : {{.*}}, vector<4xbf16>
adj.kernel @wide attributes {row_strides = array<i64: 96, 1, 0, 1, 96>, alignments = array<i64: 16, 16, 4, 4, 16>} {
^bb0(%l: tensor<?x96xf32, #adj.blocks<"mini", 1>>, %t: tensor<?xi32, #adj.blocks<"mini", 1>>, %s: tensor<f32>):
  %loss, %d = adj.cross_entropy %l, %t, %s : (tensor<?x96xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>)
    -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x96xbf16, #adj.blocks<"mini", 1>>)
  adj.yield %loss, %d : tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x96xbf16, #adj.blocks<"mini", 1>>
}
