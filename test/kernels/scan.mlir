// RUN: adj-opt --adj-lower-kernels --canonicalize --cse %s | FileCheck %s

// A recurrence with a parameter a, of which 1 / (1 + exp(a)) is needed: it is computed once per group, before the loop over the tokens; x * x once
// per token; the product with b, the state and the read-out for every n, 64 lanes at a time.

// CHECK-LABEL: func.func @staged
// CHECK-SAME:    %[[TOKENS:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: index, %[[FIRST:[a-z0-9]+]]: index, %[[LAST:[a-z0-9]+]]: index)
// CHECK:         scf.for %{{.*}} = %[[FIRST]] to %[[LAST]]
// CHECK:           math.exp %{{.*}} : vector<64xf32>
// CHECK:           scf.for %{{.*}} to %[[TOKENS]]
// CHECK-NOT:         math.exp
// CHECK:             %[[X:.*]] = vector.load
// CHECK-NEXT:        arith.mulf %[[X]], %[[X]] : vector<64xf32>
// CHECK:             scf.for
// CHECK:               memref.load
// CHECK:               arith.addf {{.*}} fastmath<contract> : vector<64xf32>
adj.kernel @staged {
^bb0(%x: tensor<?x?x128xf32>, %b: tensor<?x?x4xf32>, %a: tensor<128xf32>):
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %b as [b, t, n], %a as [d] : tensor<?x?x128xf32>, tensor<?x?x4xf32>, tensor<128xf32>)
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
