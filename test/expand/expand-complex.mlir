// RUN: adj-opt %s --split-input-file --ssm-expand-complex | FileCheck %s

// Arithmetic is on the two parts; of the complex dialect stays what takes arguments apart and joins what is yielded.

// CHECK-LABEL: func.func @rotation
// CHECK:         step {
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f32, %[[X:.*]]: f32, %{{.*}}: i1):
// CHECK:           %[[R:.*]] = math.exp %[[X]]
// CHECK:           %[[COS:.*]] = math.cos %[[A]]
// CHECK:           %[[SIN:.*]] = math.sin %[[A]]
// CHECK:           %[[RE:.*]] = arith.mulf %[[R]], %[[COS]]
// CHECK:           %[[IM:.*]] = arith.mulf %[[R]], %[[SIN]]
// CHECK:           %[[CHOSEN:.*]] = arith.select %{{.*}}, %[[X]], %[[RE]]
// CHECK-NEXT:      %[[OTHER:.*]] = arith.select %{{.*}}, %[[A]], %[[IM]]
// CHECK-NEXT:      %[[JOINED:.*]] = complex.create %[[RE]], %[[IM]]
// CHECK-NEXT:      %[[TERM:.*]] = complex.create %[[CHOSEN]], %[[OTHER]]
// CHECK-NEXT:      ssm.yield %[[JOINED]], %[[TERM]]
// CHECK:         read {
// CHECK-NEXT:    ^bb0(%[[A2:.*]]: f32, %[[X2:.*]]: f32, %[[H:.*]]: complex<f32>, %{{.*}}: i1):
// CHECK-NEXT:      %[[HR:.*]] = complex.re %[[H]]
// CHECK-NEXT:      %[[HI:.*]] = complex.im %[[H]]
// CHECK-NOT:       complex.
// CHECK:           %[[Q:.*]] = arith.divf
// CHECK:           %[[QI:.*]] = arith.divf
// CHECK:           %[[S:.*]] = ssm.sum [3] %[[Q]] : f32
// CHECK:           %[[T:.*]] = ssm.sum [3] %[[QI]] : f32
// CHECK:           %[[SS:.*]] = arith.mulf %[[S]], %[[S]]
// CHECK:           %[[TT:.*]] = arith.mulf %[[T]], %[[T]]
// CHECK:           %[[NORM:.*]] = arith.addf %[[SS]], %[[TT]]
// CHECK:           %[[ABS:.*]] = math.sqrt %[[NORM]]
// CHECK:           ssm.yield %[[ABS]] : f32
func.func @rotation(%a: tensor<4x3xf32>, %x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
      ins(%a as [d, n], %x as [b, t, d] : tensor<4x3xf32>, tensor<?x?x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        %z = complex.create %x_, %a_ : complex<f32>
        %e = complex.exp %z : complex<f32>
        %u = arith.select %reset, %z, %e : complex<f32>
        ssm.yield %e, %u : complex<f32>, complex<f32>
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: complex<f32>, %reset: i1):
        %c = complex.constant [2.0 : f32, 1.0 : f32] : complex<f32>
        %n = complex.neg %c : complex<f32>
        %k = complex.conj %n : complex<f32>
        %m = complex.mul %k, %h : complex<f32>
        %p = complex.sub %m, %c : complex<f32>
        %o = complex.add %p, %h : complex<f32>
        %q = complex.div %o, %c : complex<f32>
        %s = ssm.sum [3] %q : complex<f32>
        %abs = complex.abs %s : complex<f32>
        ssm.yield %abs : f32
      }
  return %y : tensor<?x?x4xf32>
}

// -----

// exp(x + iy) - 1 has no difference of near numbers: (e^x - 1) cos y - 2 sin(y / 2)^2 + i e^x sin y.

// CHECK-LABEL: func.func @expm1
// CHECK:         step {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32, %{{.*}}: i1):
// CHECK-NEXT:      %[[COS:.*]] = math.cos %[[Y]]
// CHECK-NEXT:      %[[LESS:.*]] = math.expm1 %[[X]]
// CHECK-NEXT:      %[[SCALED:.*]] = arith.mulf %[[LESS]], %[[COS]]
// CHECK:           %[[HALF:.*]] = arith.mulf %[[Y]], %{{.*}}
// CHECK-NEXT:      %[[SIN:.*]] = math.sin %[[HALF]]
// CHECK-NEXT:      %[[SQUARE:.*]] = arith.mulf %[[SIN]], %[[SIN]]
// CHECK:           %[[TWICE:.*]] = arith.mulf %[[SQUARE]], %{{.*}}
// CHECK-NEXT:      %[[EXP:.*]] = math.exp %[[X]]
// CHECK-NEXT:      %[[FULL:.*]] = math.sin %[[Y]]
// CHECK-DAG:       %[[RE:.*]] = arith.subf %[[SCALED]], %[[TWICE]]
// CHECK-DAG:       %[[IM:.*]] = arith.mulf %[[EXP]], %[[FULL]]
// CHECK-NEXT:      %[[JOINED:.*]] = complex.create %[[RE]], %[[IM]]
func.func @expm1(%a: tensor<4xf32>, %x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = ssm.scan over [b, t, d] state [d] : complex<f32>
      ins(%a as [d], %x as [b, t, d] : tensor<4xf32>, tensor<?x?x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        %z = complex.create %a_, %x_ : complex<f32>
        %e = complex.expm1 %z : complex<f32>
        ssm.yield %e, %z : complex<f32>, complex<f32>
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: complex<f32>, %reset: i1):
        %re = complex.re %h : complex<f32>
        ssm.yield %re : f32
      }
  return %y : tensor<?x?x4xf32>
}

// -----

// The real part of z varies over d, not over n as its imaginary part does: its sum over n repeats it 3 times.

// CHECK-LABEL: func.func @parts
// CHECK:         read {
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f32, %[[X:.*]]: f32, %{{.*}}: complex<f32>, %{{.*}}: i1):
// CHECK:           %[[THREE:.*]] = arith.constant 3.000000e+00 : f32
// CHECK-NEXT:      %[[RE:.*]] = arith.mulf %[[X]], %[[THREE]] : f32
// CHECK-NEXT:      %[[IM:.*]] = ssm.sum [3] %[[A]] : f32
// CHECK-NEXT:      %[[SUM:.*]] = arith.addf %[[RE]], %[[IM]] : f32
// CHECK-NEXT:      ssm.yield %[[SUM]]
func.func @parts(%a: tensor<4x3xf32>, %x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
      ins(%a as [d, n], %x as [b, t, d] : tensor<4x3xf32>, tensor<?x?x4xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        %z = complex.create %x_, %a_ : complex<f32>
        ssm.yield %z, %z : complex<f32>, complex<f32>
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: complex<f32>, %reset: i1):
        %z = complex.create %x_, %a_ : complex<f32>
        %s = ssm.sum [3] %z : complex<f32>
        %re = complex.re %s : complex<f32>
        %im = complex.im %s : complex<f32>
        %sum = arith.addf %re, %im : f32
        ssm.yield %sum : f32
      }
  return %y : tensor<?x?x4xf32>
}
