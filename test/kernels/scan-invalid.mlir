// What the recurrence's kernels refuse, by name.
// RUN: adj-opt --adj-lower-kernels --split-input-file --verify-diagnostics %s

adj.kernel @dense {
^bb0(%a: tensor<4x4xf32>, %x: tensor<?x?x4xf32>):
  // expected-error @+1 {{has a dense transition (it contracts dimension "m"): only scalar and diagonal transitions are lowered}}
  %y = ssm.scan over [b, t, n, m] state [n] contracted m of n : f32
      ins(%a as [n, m], %x as [b, t, n] : tensor<4x4xf32>, tensor<?x?x4xf32>)
      outs([b, t, n] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        ssm.yield %a_, %x_ : f32, f32
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: f32, %reset: i1):
        ssm.yield %h : f32
      }
  adj.yield %y : tensor<?x?x4xf32>
}

// -----

adj.kernel @complex {
^bb0(%a: tensor<4xf32>, %x: tensor<?x?x4xf32>):
  // expected-error @+1 {{has a state of 'complex<f32>': only states of f32 are lowered}}
  %y = ssm.scan over [b, t, n] state [n] : complex<f32>
      ins(%a as [n], %x as [b, t, n] : tensor<4xf32>, tensor<?x?x4xf32>)
      outs([b, t, n] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        %ca = complex.create %a_, %a_ : complex<f32>
        %cu = complex.create %x_, %x_ : complex<f32>
        ssm.yield %ca, %cu : complex<f32>, complex<f32>
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: complex<f32>, %reset: i1):
        %re = complex.re %h : complex<f32>
        ssm.yield %re : f32
      }
  adj.yield %y : tensor<?x?x4xf32>
}

// -----

adj.kernel @complex_inside {
^bb0(%a: tensor<4xf32>, %x: tensor<?x?x4xf32>):
  %y = ssm.scan over [b, t, n] state [n] : f32
      ins(%a as [n], %x as [b, t, n] : tensor<4xf32>, tensor<?x?x4xf32>)
      outs([b, t, n] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        // expected-error @+1 {{is not lowered inside of a recurrence's region: only arith, math and ssm.sum are}}
        %c = complex.create %a_, %x_ : complex<f32>
        %u = complex.abs %c : complex<f32>
        ssm.yield %a_, %u : f32, f32
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: f32, %reset: i1):
        ssm.yield %h : f32
      }
  adj.yield %y : tensor<?x?x4xf32>
}

// -----

adj.kernel @sum_over_blocks {
^bb0(%a: tensor<128xf32>, %x: tensor<?x?x128xf32>):
  %y = ssm.scan over [b, t, d] state [d] : f32
      ins(%a as [d], %x as [b, t, d] : tensor<128xf32>, tensor<?x?x128xf32>)
      outs([b, t] : tensor<?x?xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        ssm.yield %a_, %x_ : f32, f32
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: f32, %reset: i1):
        // expected-error @+1 {{sums over the lane dimension (number 2), which is cut into blocks: this is not lowered}}
        %s = ssm.sum [2] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?xf32>
}

// -----

adj.kernel @large_state {
^bb0(%a: tensor<256xf32>, %x: tensor<?x?x256x64xf32>, %w: tensor<?x?x256xf32>):
  // expected-error @+1 {{bytes of scratch for the state of one block of lanes, and at most 4194304 are lowered}}
  %y = ssm.scan over [b, t, h, p, n] state [h, p, n] : f32
      ins(%a as [h], %x as [b, t, h, p], %w as [b, t, n] : tensor<256xf32>, tensor<?x?x256x64xf32>, tensor<?x?x256xf32>)
      outs([b, t, h, p] : tensor<?x?x256x64xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %w_: f32, %reset: i1):
        %u = arith.mulf %x_, %w_ : f32
        ssm.yield %a_, %u : f32, f32
      } read {
      ^bb0(%a_: f32, %x_: f32, %w_: f32, %h: f32, %reset: i1):
        %s = ssm.sum [4] %h : f32
        ssm.yield %s : f32
      }
  adj.yield %y : tensor<?x?x256x64xf32>
}
