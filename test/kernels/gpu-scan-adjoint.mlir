// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// Checkpoints every 8 tokens do not fit a tile. A chunk's recomputed states are the thread's own; what is summed over lanes (C's cotangent) goes through shuffles and shared memory, then one thread writes it.
// CHECK-LABEL: func.func @kept(
// CHECK-SAME:    attributes {adj.shared_bytes = 16 : i64, adj.threads = 64 : i64}
// CHECK-DAG:     memref.view %{{.*}} : memref<232448xi8, 3> to memref<1x2xf32, 3>
// CHECK-DAG:     memref.alloca() {{.*}}: memref<9x2x1xf32>
// CHECK:         math.exp
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK:         gpu.barrier
// CHECK:         gpu.barrier
// CHECK:         %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK:         scf.if %[[FIRST]] {
// CHECK-NEXT:      memref.store
// CHECK:         return
#lanes = affine_map<(b, t, d, n) -> (b, t, d)>
#states = affine_map<(b, t, d, n) -> (b, t, n)>
#parameter = affine_map<(b, t, d, n) -> (d, n)>
adj.kernel @kept {
^bb0(%x: tensor<?x?x128xf32>, %dt: tensor<?x?x128xf32>, %C: tensor<?x?x2xf32>, %A: tensor<128x2xf32>, %g: tensor<?x?x128xf32>,
     %checkpoints: tensor<?x?x128x2xf32, #adj.blocks<"tokens", 8>>):
  %d:4 = adj.scan_adjoint ins(%x, %dt, %C, %A : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<?x?x2xf32>, tensor<128x2xf32>)
      cotangents(%g : tensor<?x?x128xf32>) checkpoints(%checkpoints : tensor<?x?x128x2xf32, #adj.blocks<"tokens", 8>>)
      {carry_name = "scan0", checkpoint_every = 8 : i64, differentiated = array<i64: 0, 1, 2, 3>, dims = ["b", "t", "d", "n"],
       indexing_maps = [#lanes, #lanes, #states, #parameter, #lanes], lane = 2 : i64, lane_block = 64 : i64,
       state = array<i64: 2, 3>, state_type = f32}
      -> tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<2x?x?x2xf32>, tensor<?x128x2xf32> step {
    ^bb0(%x_: f32, %dt_: f32, %C_: f32, %A_: f32, %reset: i1):
      %0 = arith.mulf %dt_, %A_ : f32
      %1 = math.exp %0 : f32
      %2 = arith.mulf %dt_, %x_ : f32
      ssm.yield %1, %2 : f32, f32
    } adjoint {
    ^bb0(%x_: f32, %dt_: f32, %C_: f32, %A_: f32, %g_: f32, %before: f32, %after: f32, %from: f32, %reset: i1):
      %0 = arith.mulf %dt_, %A_ : f32
      %1 = math.exp %0 : f32
      %2 = arith.mulf %g_, %after : f32
      %3 = ssm.sum [2] %2 : f32
      %4 = arith.mulf %g_, %C_ : f32
      %5 = arith.addf %4, %from : f32
      %6 = arith.mulf %5, %before : f32
      %7 = ssm.sum [3] %5 : f32
      %8 = arith.mulf %7, %x_ : f32
      %9 = arith.mulf %7, %dt_ : f32
      %10 = arith.mulf %6, %1 : f32
      %11 = arith.mulf %10, %A_ : f32
      %12 = ssm.sum [3] %11 : f32
      %13 = arith.addf %8, %12 : f32
      %14 = arith.mulf %10, %dt_ : f32
      %15 = arith.mulf %5, %1 : f32
      ssm.yield %15, %9, %13, %3, %14 : f32, f32, f32, f32, f32
    }
  adj.yield %d#0, %d#1, %d#2, %d#3 : tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<2x?x?x2xf32>, tensor<?x128x2xf32>
}
