// RUN: adj-opt --adj-lower-kernels %s | FileCheck %s

// A group is a sequence and 64 of its channels: 2 groups per sequence for 80 channels.
// CHECK-LABEL: func.func @conv(
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<4x64xf32>
// CHECK:         scf.for %[[GROUP:.*]] = %{{.*}} to
// CHECK:           %[[BLOCKS:.*]] = arith.constant 2 : index
// CHECK:           %[[SEQUENCE:.*]] = arith.divui %[[GROUP]], %[[BLOCKS]]
// CHECK:           arith.remui %[[GROUP]], %[[BLOCKS]]
//                  Over the tokens goes the first position that may be looked back to.
// CHECK:           %[[START:.*]] = scf.for %[[T:.*]] = {{.*}} iter_args(%{{.*}}) -> (index)
// CHECK:             %[[FLAG:.*]] = memref.load %{{.*}}[%[[SEQUENCE]], %[[T]]] : memref<?x?xi8
// CHECK:             arith.select %{{.*}}, %[[T]], %{{.*}} : index
// CHECK:             scf.if
// CHECK:             } else {
//                  The tail handed over.
// CHECK:           scf.for
// CHECK:             arith.cmpi sge, %{{.*}}, %[[START]] : index
adj.kernel @conv {
^bb0(%x: tensor<?x?x80xf32>, %w: tensor<80x1x4xf32>, %bias: tensor<80xf32>, %tail: tensor<?x3x80xf32>, %resets: tensor<?x?xi8>):
  %y, %next = ssm.conv1d %x, %w bias %bias tail %tail resets %resets
    : (tensor<?x?x80xf32>, tensor<80x1x4xf32>, tensor<80xf32>, tensor<?x3x80xf32>, tensor<?x?xi8>) -> (tensor<?x?x80xf32>, tensor<?x3x80xf32>)
  adj.yield %y, %next : tensor<?x?x80xf32>, tensor<?x3x80xf32>
}

// CHECK-LABEL: func.func @conv_adjoint(
//              Backwards over the tokens goes the next reset; forwards, in chunks, the sums of the weight's cotangent.
// CHECK:         scf.for
// CHECK:           scf.for {{.*}} iter_args({{.*}}) -> (index)
// CHECK:           scf.for {{.*}} iter_args({{.*}}) -> (index)
// CHECK:             scf.for {{.*}} iter_args({{.*}}) -> (index)
adj.kernel @conv_adjoint {
^bb0(%x: tensor<?x?x80xf32>, %w: tensor<80x1x4xf32>, %dy: tensor<?x?x80xf32>, %tail: tensor<?x3x80xf32>, %next: tensor<?x3x80xf32>):
  %dx, %dw, %db, %dt = adj.conv1d_adjoint %x, %w, %dy tail %tail tail_cotangent %next {resultSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<?x?x80xf32>, tensor<80x1x4xf32>, tensor<?x?x80xf32>, tensor<?x3x80xf32>, tensor<?x3x80xf32>)
    -> (tensor<?x?x80xf32>, tensor<?x80x1x4xf32>, tensor<?x80xf32>, tensor<?x3x80xf32>)
  adj.yield %dx, %dw, %db, %dt : tensor<?x?x80xf32>, tensor<?x80x1x4xf32>, tensor<?x80xf32>, tensor<?x3x80xf32>
}
