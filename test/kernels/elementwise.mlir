// RUN: adj-opt --adj-lower-kernels %s | FileCheck %s

#id = affine_map<(b, t, c) -> (b, t, c)>
#vec = affine_map<(b, t, c) -> (c)>
#all = affine_map<(i, j) -> (i, j)>

// The region runs on 16 lanes, and once more on single channels for 24 = 16 + 8.
// CHECK-LABEL: func.func @silu(
// CHECK:         vector.load
// CHECK:         vector.broadcast %{{.*}} : f32 to vector<16xf32>
// CHECK:         math.exp %{{.*}} : vector<16xf32>
// CHECK:         vector.store
// CHECK:         math.exp %{{.*}} : f32
// CHECK:         memref.store
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

// With a kernel argument as `outs` the input is read through the output: one pointer.
// CHECK-LABEL: func.func @bias(
// CHECK-SAME:    %[[X:[^:]*]]: memref<f32> {llvm.noalias}, %[[BIAS:[^:]*]]: memref<f32> {llvm.noalias}, %[[Y:[^:]*]]: memref<f32>
// CHECK-NOT:     %[[X]]
// CHECK:         memref.reinterpret_cast %[[Y]]
// CHECK-NOT:     %[[X]]
// CHECK:         return
adj.kernel @bias {
^bb0(%x: tensor<?x?x32xf32>, %bias: tensor<32xf32>):
  %y = linalg.generic {indexing_maps = [#vec, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%bias : tensor<32xf32>) outs(%x : tensor<?x?x32xf32>) {
    ^bb0(%b: f32, %v: f32):
      %s = arith.addf %v, %b : f32
      linalg.yield %s : f32
  } -> tensor<?x?x32xf32>
  adj.yield %y : tensor<?x?x32xf32>
}

// A gradient: the output is added to.
// CHECK-LABEL: func.func @gradient(
// CHECK:         %[[SUM:.*]] = vector.load
// CHECK:         %[[ALL:.*]] = vector.load
// CHECK:         %[[NEXT:.*]] = arith.addf %[[ALL]], %[[SUM]]
// CHECK:         vector.store %[[NEXT]]
adj.kernel @gradient accumulate {
^bb0(%x: tensor<128x16xf32>):
  adj.yield %x : tensor<128x16xf32>
}

// CHECK-LABEL: func.func @zeros(
// CHECK:         vector.broadcast %{{.*}} : f32 to vector<16xf32>
// CHECK:         vector.store
adj.kernel @zeros {
^bb0:
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x16xf32>) -> tensor<16x16xf32>
  adj.yield %f : tensor<16x16xf32>
}
