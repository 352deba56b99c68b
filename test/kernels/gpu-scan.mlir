// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// Nine inner points do not fit a tile. A thread has a lane: its states are its own, and nobody waits for anybody. The batch times the blocks of 64 lanes are the groups.
// CHECK-LABEL: func.func @staged(
// CHECK-SAME:    attributes {adj.shared_bytes = 0 : i64, adj.threads = 64 : i64}
// CHECK:         memref.alloca() {{.*}} : memref<9x1xf32>
// CHECK-NOT:     gpu.barrier
// CHECK:         scf.for %{{.*}} = %[[THREAD:.*]] to %c64 step %c64
// CHECK:           math.exp
// CHECK-NOT:     math.exp
// CHECK:         arith.addf {{.*}} fastmath<contract> : f32
// CHECK-NOT:     gpu.barrier
// CHECK:         return
adj.kernel @staged {
^bb0(%x: tensor<?x?x128xf32>, %b: tensor<?x?x9xf32>, %a: tensor<128xf32>):
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %b as [b, t, n], %a as [d] : tensor<?x?x128xf32>, tensor<?x?x9xf32>, tensor<128xf32>)
      outs([b, t, d] : tensor<?x?x128xf32>)
      step {
      ^bb0(%x_: f32, %b_: f32, %a_: f32, %reset: i1):
        %one = arith.constant 1.0 : f32
        %e = math.exp %a_ : f32
        %d = arith.addf %one, %e : f32
        %decay = arith.divf %one, %d : f32
        %xx = arith.mulf %x_, %x_ : f32
        %u = arith.mulf %xx, %b_ : f32
        ssm.yield %decay, %u : f32, f32
      } read {
      ^bb0(%x_: f32, %b_: f32, %a_: f32, %h: f32, %reset: i1):
        %s = ssm.sum [3] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?x128xf32>
}
