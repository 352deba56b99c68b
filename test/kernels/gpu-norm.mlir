// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A narrow row is a warp's: each thread holds its channels, the last piece only where the row has one, and sums meet by shuffles. Nobody waits.
// Pointers are to global memory; a range of groups is not among the arguments: a block runs one.
// CHECK:       memref.global "private" @adj_shared : memref<232448xi8, 3> {alignment = 16 : i64}
// CHECK-LABEL: func.func @narrow(
// CHECK-SAME:    %[[X:[^:]*]]: memref<f32, 1> {llvm.noalias, llvm.readonly}, %{{[^:]*}}: memref<f32, 1> {llvm.noalias, llvm.readonly}, %[[Y:[^:]*]]: memref<f32, 1> {llvm.noalias},
// CHECK-SAME:    %{{[^:]*}}: index, %{{[^:]*}}: index, %[[ROWS:[^:]*]]: index, %[[GROUPS:[^:]*]]: index)
// CHECK-SAME:    attributes {adj.shared_bytes = 0 : i64, adj.threads = 256 : i64}
// CHECK-DAG:     gpu.block_id x
// CHECK-DAG:     gpu.block_id y
// CHECK:         arith.cmpi ult, %{{.*}}, %[[GROUPS]]
// CHECK:         %[[THREAD:.*]] = gpu.thread_id x
// CHECK:         arith.divui %[[THREAD]], %c32
// CHECK:         scf.for
// CHECK:           memref.load
// CHECK:           scf.if {{.*}} -> (f32)
// CHECK-COUNT-5:   gpu.shuffle xor
// CHECK-NOT:       {{gpu.shuffle|gpu.barrier}}
// CHECK:           math.sqrt
// CHECK:           memref.store
// CHECK:           scf.if
// CHECK:             memref.store
// CHECK-NOT:     vector
// CHECK:         return
adj.kernel @narrow attributes {row_strides = array<i64: 100, 0, 40>} {
^bb0(%x: tensor<?x?x40xf32>, %w: tensor<40xf32>):
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x40xf32>, tensor<40xf32>) -> tensor<?x?x40xf32>
  adj.yield %y : tensor<?x?x40xf32>
}

// A wide row is a block's; where addresses and strides are known to be aligned, a thread reads 16 bytes at once, and once only: the weight before the
// rows, a row before its sum.
// CHECK-LABEL: func.func @wide(
// CHECK-SAME:    attributes {adj.shared_bytes = 32 : i64, adj.threads = 256 : i64}
// CHECK-DAG:     %[[SUMS:.*]] = memref.view %{{.*}} : memref<232448xi8, 3> to memref<1x8xf32, 3>
// CHECK-COUNT-2: vector.load {{.*}} {alignment = 16 : i64} : memref<2048xf32, {{.*}}>, vector<4xf32>
// CHECK:         scf.for
// CHECK-COUNT-2:   vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK-NOT:       {{vector|memref}}.load
// CHECK-COUNT-5:   gpu.shuffle xor
// CHECK:           gpu.barrier
// CHECK:           memref.store %{{.*}}, %[[SUMS]]
// CHECK:           gpu.barrier
// CHECK-COUNT-8:   memref.load %[[SUMS]]
// CHECK-NOT:       {{vector|memref}}.load
// CHECK-COUNT-2:   vector.store {{.*}} {alignment = 8 : i64} : {{.*}}, vector<4xbf16>
adj.kernel @wide attributes {row_strides = array<i64: 2048, 0, 4096>, alignments = array<i64: 16, 16, 8>} {
^bb0(%x: tensor<?x?x2048xf32>, %w: tensor<2048xf32>):
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x2048xf32>, tensor<2048xf32>) -> tensor<?x?x2048xbf16>
  adj.yield %y : tensor<?x?x2048xbf16>
}

// The adjoint is two launches: a warp has eight rows and leaves their sum of the weight's cotangent, and eight of these make one of 64 rows. What is
// elementwise after it is computed where its result is made, which is not stored.
// CHECK-LABEL: func.func @norm_adjoint_rows(
// CHECK-SAME:    adj.threads = 256 : i64
// CHECK:         scf.for {{.*}} iter_args
// CHECK-COUNT-10: gpu.shuffle xor
// CHECK:           arith.subf
// CHECK:           arith.addf
// CHECK:           memref.store
// CHECK-NOT:       memref.store
// CHECK:           scf.yield
// CHECK-LABEL: func.func @norm_adjoint_sums(
// CHECK:         scf.for {{.*}} iter_args
// CHECK-NOT:     gpu.shuffle
// CHECK:         memref.store
adj.kernel @norm_adjoint {
^bb0(%x: tensor<?x?x32xf32>, %w: tensor<32xf32>, %dy: tensor<?x?x32xf32>, %r: tensor<?x?x32xf32>):
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %dy eps 1.0e-5 : (tensor<?x?x32xf32>, tensor<32xf32>, tensor<?x?x32xf32>)
    -> (tensor<?x?x32xf32>, tensor<?x32xf32, #adj.blocks<"rows", 64>>)
  %b = arith.constant 0 : index
  %t = arith.constant 1 : index
  %db = tensor.dim %x, %b : tensor<?x?x32xf32>
  %dt = tensor.dim %x, %t : tensor<?x?x32xf32>
  %e = tensor.empty(%db, %dt) : tensor<?x?x32xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, t, c) -> (b, t, c)>, affine_map<(b, t, c) -> (b, t, c)>, affine_map<(b, t, c) -> (b, t, c)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%r, %dx : tensor<?x?x32xf32>, tensor<?x?x32xf32>) outs(%e : tensor<?x?x32xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %v = arith.addf %p, %q : f32
      linalg.yield %v : f32
  } -> tensor<?x?x32xf32>
  adj.yield %dw, %s : tensor<?x32xf32, #adj.blocks<"rows", 64>>, tensor<?x?x32xf32>
}
