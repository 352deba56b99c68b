// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

#id = affine_map<(b, t, c) -> (b, t, c)>
#scalar = affine_map<() -> ()>

// A group's points go over the threads, neighbours to neighbours. Of four, a thread reads all before it writes any; what is left comes one by one.
// CHECK-LABEL: func.func @silu(
// CHECK-SAME:    attributes {adj.shared_bytes = 0 : i64, adj.threads = 256 : i64}
// CHECK:         scf.for %{{.*}} = %c0 to %{{.*}} step %c1024
// CHECK-COUNT-4:   memref.load
// CHECK-NOT:       memref.load
// CHECK-COUNT-4:   memref.store
// CHECK:         scf.for %{{.*}} step %c256
// CHECK:           memref.load
// CHECK:           math.exp %{{.*}} : f32
// CHECK:           memref.store
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

// Where addresses and strides are known to be aligned, a point is as many channels as make 16 bytes; functions are scalar.
// CHECK-LABEL: func.func @aligned(
// CHECK:         vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<8xbf16>
// CHECK:         vector.extract
// CHECK:         math.exp %{{.*}} : f32
// CHECK:         vector.store {{.*}} {alignment = 16 : i64} : {{.*}}, vector<8xbf16>
adj.kernel @aligned attributes {row_strides = array<i64: 160, 128>, alignments = array<i64: 16, 16>} {
^bb0(%x: tensor<?x?x128xbf16>):
  %b = arith.constant 0 : index
  %t = arith.constant 1 : index
  %db = tensor.dim %x, %b : tensor<?x?x128xbf16>
  %dt = tensor.dim %x, %t : tensor<?x?x128xbf16>
  %e = tensor.empty(%db, %dt) : tensor<?x?x128xbf16>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<?x?x128xbf16>) outs(%e : tensor<?x?x128xbf16>) {
    ^bb0(%v: bf16, %o: bf16):
      %f = arith.extf %v : bf16 to f32
      %p = math.exp %f : f32
      %r = arith.truncf %p : f32 to bf16
      linalg.yield %r : bf16
  } -> tensor<?x?x128xbf16>
  adj.yield %y : tensor<?x?x128xbf16>
}

// Rows that are only aligned to 4 bytes are read two channels at a time.
// CHECK-LABEL: func.func @strided(
// CHECK:         vector.load {{.*}} {alignment = 4 : i64} : {{.*}}, vector<2xbf16>
adj.kernel @strided attributes {row_strides = array<i64: 130, 128>, alignments = array<i64: 16, 16>} {
^bb0(%x: tensor<?x?x128xbf16>):
  adj.yield %x : tensor<?x?x128xbf16>
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
