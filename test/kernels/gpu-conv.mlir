// RUN: adj-opt --adj-lower-kernels=target=gpu --canonicalize --cse %s | FileCheck %s

// A thread has a channel and goes through a chunk of tokens with the W - 1 inputs before its token in registers: each input is read once.
// CHECK-LABEL: func.func @conv(
// CHECK-SAME:    adj.threads = 128 : i64
// Four tokens' inputs are read before the first one is used; then what is left of the chunk, token by token.
// CHECK:         scf.for {{.*}} step %c4 iter_args({{.*}}) -> (f32, f32, f32) {
// CHECK-COUNT-4:   memref.store %{{.*}} : memref<?x80xf32
// CHECK:         %[[LAST:.*]]:3 = scf.for %[[T:.*]] = %{{.*}} step %c1 iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}) -> (f32, f32, f32) {
//                  A reset hides what came before it.
// CHECK:           %[[FLAG:.*]] = memref.load %{{.*}} : memref<?x?xi8
// CHECK:           %[[RESET:.*]] = arith.cmpi ne, %[[FLAG]]
// CHECK:           arith.select %[[RESET]], %{{.*}}, %[[A]] : f32
// CHECK:           %[[B1:.*]] = arith.select %[[RESET]], %{{.*}}, %[[B]] : f32
// CHECK:           %[[C1:.*]] = arith.select %[[RESET]], %{{.*}}, %[[C]] : f32
// CHECK:           scf.yield %[[B1]], %[[C1]], %{{.*}} : f32, f32, f32
//                The sequence's last chunk hands over its window.
// CHECK:         scf.if
// CHECK-COUNT-3:   memref.store %[[LAST]]
adj.kernel @conv {
^bb0(%x: tensor<?x?x80xf32>, %w: tensor<80x1x4xf32>, %bias: tensor<80xf32>, %tail: tensor<?x3x80xf32>, %resets: tensor<?x?xi8>):
  %y, %next = ssm.conv1d %x, %w bias %bias tail %tail resets %resets
    : (tensor<?x?x80xf32>, tensor<80x1x4xf32>, tensor<80xf32>, tensor<?x3x80xf32>, tensor<?x?xi8>) -> (tensor<?x?x80xf32>, tensor<?x3x80xf32>)
  adj.yield %y, %next : tensor<?x?x80xf32>, tensor<?x3x80xf32>
}

// Two launches. From a chunk's last token to its first go three cotangents of outputs, the four sums of the weight's cotangent and the bias's; the first chunk goes
// on into the tail received.
// CHECK-LABEL: func.func @conv_adjoint_inputs(
// CHECK:         arith.select %{{.*}}, %c-3, %{{.*}} : index
// CHECK:         scf.for {{.*}} -> (f32, f32, f32) {
// CHECK:         %[[SUMS:.*]]:8 = scf.for
// CHECK-COUNT-5: memref.store %[[SUMS]]#{{[3-7]}}, %{{.*}} : memref<?xf32, 1>
// The chunks' sums, added in their order.
// CHECK-LABEL: func.func @conv_adjoint_sums(
// CHECK:         %[[ALL:.*]]:5 = scf.for
// CHECK-COUNT-5:   arith.addf
// CHECK-COUNT-4: memref.store %[[ALL]]#{{[0-3]}}, %{{.*}} : memref<?x80x1x4xf32
// CHECK:         memref.store %[[ALL]]#4, %{{.*}} : memref<?x80xf32
adj.kernel @conv_adjoint {
^bb0(%x: tensor<?x?x80xf32>, %w: tensor<80x1x4xf32>, %dy: tensor<?x?x80xf32>, %tail: tensor<?x3x80xf32>, %next: tensor<?x3x80xf32>):
  %dx, %dw, %db, %dt = adj.conv1d_adjoint %x, %w, %dy tail %tail tail_cotangent %next {resultSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<?x?x80xf32>, tensor<80x1x4xf32>, tensor<?x?x80xf32>, tensor<?x3x80xf32>, tensor<?x3x80xf32>)
    -> (tensor<?x?x80xf32>, tensor<?x80x1x4xf32>, tensor<?x80xf32>, tensor<?x3x80xf32>)
  adj.yield %dx, %dw, %db, %dt : tensor<?x?x80xf32>, tensor<?x80x1x4xf32>, tensor<?x80xf32>, tensor<?x3x80xf32>
}
