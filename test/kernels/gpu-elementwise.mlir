// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

#id = affine_map<(b, t, c) -> (b, t, c)>
#scalar = affine_map<() -> ()>

// Channels go over the threads, one each: neighbours read neighbours. Nothing is shared and nobody waits.
// CHECK-LABEL: func.func @silu(
// CHECK-SAME:    attributes {adj.shared_bytes = 0 : i64, adj.threads = 256 : i64}
// CHECK:         scf.for %[[ROW:.*]] =
// CHECK:           %[[THREAD:.*]] = gpu.thread_id x
// CHECK:           scf.for %[[C:.*]] = %[[THREAD]] to %c24 step %c256
// CHECK:             memref.load %{{.*}}[%[[ROW]], %[[C]]]
// CHECK:             math.exp %{{.*}} : f32
// CHECK:             memref.store %{{.*}}[%[[ROW]], %[[C]]]
// CHECK-NOT:     {{vector|gpu.barrier}}
// CHECK:         return
adj.kernel @silu {
^bb0(%x: tensor<?x?x24xf32>):
  %b = arith.constant 0 : index
  %t = arith.constant 1 : index
  %db = tensor.dim %x, %b : tensor<?x?x24xf32>
  %dt = tensor.dim %x, %t : tensor<?x?x24xf32>
  %e = tensor.empty(%db, %dt) : tensor<?x?x24xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<?x?x24xf32>) outs(%e : tensor<?x?x24xf32>) {
    ^bb0(%v: f32, %o: f32):
      %one = arith.constant 1.0 : f32
      %n = arith.negf %v : f32
      %p = math.exp %n : f32
      %q = arith.addf %p, %one : f32
      %r = arith.divf %v, %q : f32
      linalg.yield %r : f32
  } -> tensor<?x?x24xf32>
  adj.yield %y : tensor<?x?x24xf32>
}

// A single number is one thread's work.
// CHECK-LABEL: func.func @number(
// CHECK:         %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK:         scf.if %[[FIRST]]
// CHECK:           memref.store
// CHECK:         return
adj.kernel @number {
^bb0(%x: tensor<f32>):
  %e = tensor.empty() : tensor<f32>
  %y = linalg.generic {indexing_maps = [#scalar, #scalar], iterator_types = []} ins(%x : tensor<f32>) outs(%e : tensor<f32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.addf %v, %v : f32
      linalg.yield %s : f32
  } -> tensor<f32>
  adj.yield %y : tensor<f32>
}
