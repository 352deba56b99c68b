// What a GPU's threads and shared memory do not hold.
// RUN: adj-opt --adj-lower-kernels=target=gpu --split-input-file --verify-diagnostics %s

adj.kernel @dense {
^bb0(%A: tensor<?x?x30000x30000xf32>, %x: tensor<?x?x30000xf32>):
  // expected-error @+1 {{needs 240000 bytes of shared memory, and a GPU block has at most 232448; make its dimensions smaller}}
  %y = ssm.scan over [b, t, n, m] state [n] contracted m of n : f32
      ins(%A as [b, t, n, m], %x as [b, t, n] : tensor<?x?x30000x30000xf32>, tensor<?x?x30000xf32>)
      outs([b, t, n] : tensor<?x?x30000xf32>)
      step {
      ^bb0(%a: f32, %x_: f32, %reset: i1):
        ssm.yield %a, %x_ : f32, f32
      } read {
      ^bb0(%a: f32, %x_: f32, %h: f32, %reset: i1):
        ssm.yield %h : f32
      }
  adj.yield %y : tensor<?x?x30000xf32>
}

// -----

adj.kernel @large_state {
^bb0(%x: tensor<?x?x64xf32>, %w: tensor<?x?x8192xf32>):
  // expected-error @+1 {{bytes of scratch for the state of one block of lanes, and at most 16384 are lowered}}
  %y = ssm.scan over [b, t, p, n] state [p, n] : f32
      ins(%x as [b, t, p], %w as [b, t, n] : tensor<?x?x64xf32>, tensor<?x?x8192xf32>)
      outs([b, t, p] : tensor<?x?x64xf32>)
      step {
      ^bb0(%x_: f32, %w_: f32, %reset: i1):
        %u = arith.mulf %x_, %w_ : f32
        ssm.yield %w_, %u : f32, f32
      } read {
      ^bb0(%x_: f32, %w_: f32, %h: f32, %reset: i1):
        %s = ssm.sum [3] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?x64xf32>
}
