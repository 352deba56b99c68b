// RUN: adj-opt %s --adj-fuse-pointwise --split-input-file | FileCheck %s
// RUN: adj-opt %s --adj-fuse-pointwise --adj-form-kernels --split-input-file | FileCheck %s --check-prefix=KERNELS

#id = affine_map<(b, t, c) -> (b, t, c)>

// A sum stored in bf16, and what takes it: one operation, which rounds the sum as its store would have. Nothing else needs
// the sum, so it is not a result.
// CHECK-LABEL: adj.program @chain
// CHECK:         %[[A:.*]] = adj.matmul
// CHECK:         %[[B:.*]] = adj.matmul
// CHECK:         %[[Y:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[B]] :
// CHECK-NEXT:    ^bb0(%{{.*}}: bf16, %{{.*}}: bf16, %{{.*}}: bf16):
// CHECK:           arith.addf {{.*}} : f32
// CHECK:           %[[ROUNDED:.*]] = arith.truncf {{.*}} : f32 to bf16
// CHECK:           arith.extf %[[ROUNDED]] : bf16 to f32
// CHECK:         -> tensor<?x?x8xbf16>
// CHECK-NOT:     linalg.generic
// CHECK:         adj.matmul %[[Y]]
adj.program @chain(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = adj.carried "c0/x" : tensor<?x?x8xf32>
  %w = ssm.parameter "w" <ones> : tensor<8x8xf32>
  %n = ssm.parameter "n" <ones> : tensor<8xf32>
  %x = ssm.rms_norm %v, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xbf16>
  %a = adj.matmul %x, %w : (tensor<?x?x8xbf16>, tensor<8x8xf32>) -> tensor<?x?x8xbf16>
  %b = adj.matmul %x, %w {transpose_b} : (tensor<?x?x8xbf16>, tensor<8x8xf32>) -> tensor<?x?x8xbf16>
  %s = ssm.residual %a, %b : tensor<?x?x8xbf16>
  %d0 = tensor.dim %s, %c0 : tensor<?x?x8xbf16>
  %d1 = tensor.dim %s, %c1 : tensor<?x?x8xbf16>
  %e = tensor.empty(%d0, %d1) : tensor<?x?x8xbf16>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%s : tensor<?x?x8xbf16>) outs(%e : tensor<?x?x8xbf16>) {
    ^bb0(%in: bf16, %out: bf16):
      %f = arith.extf %in : bf16 to f32
      %square = arith.mulf %f, %f : f32
      %r = arith.truncf %square : f32 to bf16
      linalg.yield %r : bf16
  } -> tensor<?x?x8xbf16>
  %dw = adj.matmul %y, %x {transpose_a} : (tensor<?x?x8xbf16>, tensor<?x?x8xbf16>) -> tensor<8x8xf32>
  adj.accumulate "w", %dw : tensor<8x8xf32>
}

// -----

// What others need too is a second result. A conversion is elementwise as well.
// CHECK-LABEL: adj.program @kept
// CHECK:         %[[BOTH:.*]]:2 = linalg.generic
// CHECK:         -> (tensor<?x?x8xf32>, tensor<?x?x8xbf16>)
// CHECK:         adj.hand_over "c0/sum", %[[BOTH]]#0
// CHECK:         adj.matmul %[[BOTH]]#1
adj.program @kept(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %a = adj.carried "c0/a" : tensor<?x?x8xf32>
  %w = ssm.parameter "w" <ones> : tensor<8x8xf32>
  %n = ssm.parameter "n" <ones> : tensor<8xf32>
  %h = ssm.rms_norm %a, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xbf16>
  %b = adj.matmul %h, %w : (tensor<?x?x8xbf16>, tensor<8x8xf32>) -> tensor<?x?x8xbf16>
  %s = ssm.residual %a, %b : (tensor<?x?x8xf32>, tensor<?x?x8xbf16>) -> tensor<?x?x8xf32>
  %r = arith.truncf %s : tensor<?x?x8xf32> to tensor<?x?x8xbf16>
  adj.hand_over "c0/sum", %s : tensor<?x?x8xf32>
  %dw = adj.matmul %r, %b {transpose_a} : (tensor<?x?x8xbf16>, tensor<?x?x8xbf16>) -> tensor<8x8xf32>
  adj.accumulate "w", %dw : tensor<8x8xf32>
}

// -----

// Over a product, which takes memory, both addends would be held instead of their sum; and the consumer, which needs the
// product, cannot come to the sum.
// CHECK-LABEL: adj.program @apart
// CHECK:         linalg.generic
// CHECK:         adj.matmul
// CHECK:         linalg.generic
adj.program @apart(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %a = adj.carried "c0/a" : tensor<?x?x8xf32>
  %b = adj.carried "c0/b" : tensor<?x?x8xf32>
  %w = ssm.parameter "w" <ones> : tensor<8x8xf32>
  %s = ssm.residual %a, %b : tensor<?x?x8xf32>
  %p = adj.matmul %a, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %y = ssm.residual %s, %p : tensor<?x?x8xf32>
  adj.hand_over "c0/y", %y : tensor<?x?x8xf32>
}

// -----

// Around what is not elementwise, a kernel of several operations: the sum is stored and normalised in one pass over its row, and
// the convolution is activated where it is written. The dispatch stands for all of them.
#map = affine_map<(b, t, c) -> (b, t, c)>

// KERNELS-LABEL: adj.kernel @conv1d_0
// KERNELS:         ssm.conv1d
// KERNELS:         %[[ACTIVE:.*]] = linalg.generic
// KERNELS:         adj.yield %[[ACTIVE]] : tensor<?x?x8xf32>
// KERNELS-LABEL: adj.kernel @rms_norm_0
// KERNELS:         %[[SUM:.*]] = linalg.generic
// KERNELS:         %[[NORM:.*]] = ssm.rms_norm %[[SUM]]
// KERNELS:         adj.yield %[[SUM]], %[[NORM]]
// KERNELS-LABEL: adj.program @around
// KERNELS:         adj.dispatch @rms_norm_0(
// KERNELS:         %[[Y:.*]] = adj.dispatch @conv1d_0(
// KERNELS-NOT:     adj.dispatch
// KERNELS:         adj.hand_over "c0/y", %[[Y]]
adj.program @around(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = adj.carried "c0/a" : tensor<?x?x8xf32>
  %b = adj.carried "c0/b" : tensor<?x?x8xf32>
  %n = ssm.parameter "n" <ones> : tensor<8xf32>
  %taps = ssm.parameter "taps" <ones> : tensor<8x1x3xf32>
  %s = ssm.residual %a, %b : tensor<?x?x8xf32>
  %h = ssm.rms_norm %s, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  adj.hand_over "c0/s", %s : tensor<?x?x8xf32>
  %v, %tail = ssm.conv1d %h, %taps {carry_name = "c"} : (tensor<?x?x8xf32>, tensor<8x1x3xf32>) -> (tensor<?x?x8xf32>, tensor<?x2x8xf32>)
  %d0 = tensor.dim %v, %c0 : tensor<?x?x8xf32>
  %d1 = tensor.dim %v, %c1 : tensor<?x?x8xf32>
  %e = tensor.empty(%d0, %d1) : tensor<?x?x8xf32>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%v : tensor<?x?x8xf32>) outs(%e : tensor<?x?x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %r = math.exp %in : f32
      linalg.yield %r : f32
  } -> tensor<?x?x8xf32>
  adj.hand_over "c0/y", %y : tensor<?x?x8xf32>
}

// -----

// A result that an operation takes twice, and two results of one operation: each is read where it is made, and made once. What others need of them stays
// a result. Sizes are read off what is there before.
#map = affine_map<(b, t, c) -> (b, t, c)>

// CHECK-LABEL: adj.program @diamond
// CHECK:         %[[X:.*]] = adj.carried "c0/x"
// CHECK:         %[[ALL:.*]]:2 = linalg.generic {{.*}} ins(%[[X]] :
// CHECK-NEXT:    ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32, %{{.*}}: f32):
// CHECK-NEXT:      %[[E:.*]] = math.exp %[[IN]]
// CHECK-NEXT:      %[[T:.*]] = math.tanh %[[E]]
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[E]], %[[T]]
// CHECK-NEXT:      %[[S:.*]] = arith.addf %[[P]], %[[P]]
// CHECK-NOT:     linalg.generic
// CHECK:         adj.hand_over "c0/s"
adj.program @diamond(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = adj.carried "c0/x" : tensor<?x?x8xf32>
  %d0 = tensor.dim %x, %c0 : tensor<?x?x8xf32>
  %d1 = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %empty = tensor.empty(%d0, %d1) : tensor<?x?x8xf32>
  %e = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<?x?x8xf32>) outs(%empty : tensor<?x?x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %r = math.exp %in : f32
      linalg.yield %r : f32
  } -> tensor<?x?x8xf32>
  %e0 = tensor.dim %e, %c0 : tensor<?x?x8xf32>
  %e1 = tensor.dim %e, %c1 : tensor<?x?x8xf32>
  %te = tensor.empty(%e0, %e1) : tensor<?x?x8xf32>
  %t = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%e : tensor<?x?x8xf32>) outs(%te : tensor<?x?x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %r = math.tanh %in : f32
      linalg.yield %r : f32
  } -> tensor<?x?x8xf32>
  %t0 = tensor.dim %t, %c0 : tensor<?x?x8xf32>
  %t1 = tensor.dim %t, %c1 : tensor<?x?x8xf32>
  %pe = tensor.empty(%t0, %t1) : tensor<?x?x8xf32>
  %p = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%e, %t : tensor<?x?x8xf32>, tensor<?x?x8xf32>) outs(%pe : tensor<?x?x8xf32>) {
    ^bb0(%l: f32, %in: f32, %out: f32):
      %r = arith.mulf %l, %in : f32
      linalg.yield %r : f32
  } -> tensor<?x?x8xf32>
  %s = ssm.residual %p, %p : tensor<?x?x8xf32>
  adj.hand_over "c0/s", %s : tensor<?x?x8xf32>
  adj.hand_over "c0/e", %e : tensor<?x?x8xf32>
}
