// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A dense transition reads the states of all lanes: they lie in shared memory, and the block waits before they are read and before they change.
// CHECK-LABEL: func.func @dense(
// CHECK-SAME:    attributes {adj.shared_bytes = 384 : i64, adj.threads = 64 : i64}
// CHECK-NOT:     memref.alloca
// CHECK-DAG:     %[[STATE:.*]] = memref.view %{{.*}}[%c0][] : memref<232448xi8, 3> to memref<48xf32, 3>
// CHECK-DAG:     %[[NEXT:.*]] = memref.view %{{.*}}[%c192][] : memref<232448xi8, 3> to memref<48xf32, 3>
// CHECK:         scf.for %{{.*}} = %{{.*}} to %[[TOKENS:.*]] step
// CHECK:           gpu.barrier
// CHECK:           memref.load %[[STATE]]
// CHECK:           memref.store %{{.*}}, %[[NEXT]]
// CHECK:           gpu.barrier
// CHECK:           memref.store %{{.*}}, %[[STATE]]
// CHECK:           gpu.barrier
// CHECK:         return
adj.kernel @dense {
^bb0(%A: tensor<?x?x40x40xf32>, %x: tensor<?x?x40xf32>):
  %y = ssm.scan over [b, t, n, m] state [n] contracted m of n : f32
      ins(%A as [b, t, n, m], %x as [b, t, n] : tensor<?x?x40x40xf32>, tensor<?x?x40xf32>)
      outs([b, t, n] : tensor<?x?x40xf32>)
      step {
      ^bb0(%a: f32, %x_: f32, %reset: i1):
        ssm.yield %a, %x_ : f32, f32
      } read {
      ^bb0(%a: f32, %x_: f32, %h: f32, %reset: i1):
        ssm.yield %h : f32
      }
  adj.yield %y : tensor<?x?x40xf32>
}
