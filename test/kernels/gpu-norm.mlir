// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A group's rows by a block of threads: each sums its channels, warps sum by shuffles, and the warps' sums meet in shared memory, between two barriers.
// Pointers are to global memory; a range of groups is not among the arguments: a block runs one.
// CHECK:       memref.global "private" @adj_shared : memref<232448xi8, 3> {alignment = 16 : i64}
// CHECK-LABEL: func.func @norm(
// CHECK-SAME:    %[[X:[^:]*]]: memref<f32, 1> {llvm.noalias, llvm.readonly}, %{{[^:]*}}: memref<f32, 1> {llvm.noalias, llvm.readonly}, %[[Y:[^:]*]]: memref<f32, 1> {llvm.noalias},
// CHECK-SAME:    %{{[^:]*}}: index, %{{[^:]*}}: index, %[[ROWS:[^:]*]]: index, %[[GROUPS:[^:]*]]: index)
// CHECK-SAME:    attributes {adj.shared_bytes = 32 : i64, adj.threads = 256 : i64}
// CHECK-DAG:     %[[SUMS:.*]] = memref.view %{{.*}} : memref<232448xi8, 3> to memref<1x8xf32, 3>
// CHECK-DAG:     gpu.block_id x
// CHECK-DAG:     gpu.block_id y
// CHECK:         arith.cmpi ult, %{{.*}}, %[[GROUPS]]
// CHECK:         %[[THREAD:.*]] = gpu.thread_id x
// CHECK:         scf.for %{{.*}} = %[[THREAD]] to %{{.*}} step %c256 iter_args
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK-NOT:     gpu.shuffle
// CHECK:         gpu.barrier
// CHECK:         scf.if
// CHECK:           memref.store %{{.*}}, %[[SUMS]]
// CHECK:         gpu.barrier
// CHECK-COUNT-8: memref.load %[[SUMS]]
// CHECK:         math.sqrt
// CHECK:         scf.for %{{.*}} = %[[THREAD]] to %{{.*}} step %c256
// CHECK:           memref.store
// CHECK-NOT:     vector
// CHECK:         return
adj.kernel @norm attributes {row_strides = array<i64: 100, 0, 40>} {
^bb0(%x: tensor<?x?x40xf32>, %w: tensor<40xf32>):
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x40xf32>, tensor<40xf32>) -> tensor<?x?x40xf32>
  adj.yield %y : tensor<?x?x40xf32>
}

// CHECK-LABEL: func.func @norm_adjoint(
// CHECK-SAME:    adj.threads = 256 : i64
// CHECK-COUNT-10: gpu.shuffle xor
// CHECK:         return
adj.kernel @norm_adjoint {
^bb0(%x: tensor<?x?x64xf32>, %w: tensor<64xf32>, %dy: tensor<?x?x64xf32>):
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %dy eps 1.0e-5 : (tensor<?x?x64xf32>, tensor<64xf32>, tensor<?x?x64xf32>)
    -> (tensor<?x?x64xf32>, tensor<?x64xf32, #adj.blocks<"rows", 64>>)
  adj.yield %dx, %dw : tensor<?x?x64xf32>, tensor<?x64xf32, #adj.blocks<"rows", 64>>
}
