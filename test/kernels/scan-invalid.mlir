// What the recurrence's kernels refuse, by name.
// RUN: adj-opt --adj-lower-kernels --split-input-file --verify-diagnostics %s

// ssm-expand-complex spells it out.
adj.kernel @complex_function {
^bb0(%a: tensor<4xf32>, %x: tensor<?x?x4xf32>):
  %y = ssm.scan over [b, t, n] state [n] : f32
      ins(%a as [n], %x as [b, t, n] : tensor<4xf32>, tensor<?x?x4xf32>)
      outs([b, t, n] : tensor<?x?x4xf32>)
      step {
      ^bb0(%a_: f32, %x_: f32, %reset: i1):
        %c = complex.create %a_, %x_ : complex<f32>
        // expected-error @+1 {{is not lowered inside of a recurrence's region: only arith, math and ssm.sum are}}
        %u = complex.abs %c : complex<f32>
        ssm.yield %a_, %u : f32, f32
      } read {
      ^bb0(%a_: f32, %x_: f32, %h: f32, %reset: i1):
        ssm.yield %h : f32
      }
  adj.yield %y : tensor<?x?x4xf32>
}

// -----

// One block does not hold all lanes that a token's states need.
adj.kernel @sum_over_blocks {
^bb0(%x: tensor<?x?x128xf32>, %g: tensor<?x?x128xf32>, %checkpoints: tensor<?x?x128xf32, #adj.blocks<"tokens", 8>>):
  %dx = adj.scan_adjoint ins(%x : tensor<?x?x128xf32>) cotangents(%g : tensor<?x?x128xf32>)
      checkpoints(%checkpoints : tensor<?x?x128xf32, #adj.blocks<"tokens", 8>>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 64 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0>}
      -> tensor<?x?x128xf32>
  step {
  ^bb0(%v: f32, %reset: i1):
    // expected-error @+1 {{sums over the lane dimension (number 2), which is cut into blocks: this is not lowered}}
    %s = ssm.sum [2] %v : f32
    ssm.yield %v, %s : f32, f32
  } adjoint {
  ^bb0(%v: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    ssm.yield %carried, %dy : f32, f32
  }
  adj.yield %dx : tensor<?x?x128xf32>
}

// -----

// A partial sum is no sum: lanes may not use it.
adj.kernel @use_of_partial_sum {
^bb0(%x: tensor<?x?x128xf32>, %g: tensor<?x?x128xf32>, %checkpoints: tensor<?x?x128xf32, #adj.blocks<"tokens", 8>>):
  %dx = adj.scan_adjoint ins(%x : tensor<?x?x128xf32>) cotangents(%g : tensor<?x?x128xf32>)
      checkpoints(%checkpoints : tensor<?x?x128xf32, #adj.blocks<"tokens", 8>>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 64 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0>}
      -> tensor<?x?x128xf32>
  step {
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %s = ssm.sum [2] %v : f32
    // expected-error @+1 {{uses, lane by lane, a sum over the lane dimension (number 2), which is cut into blocks: this is not lowered}}
    %dv = arith.mulf %s, %dy : f32
    ssm.yield %carried, %dv : f32, f32
  }
  adj.yield %dx : tensor<?x?x128xf32>
}

// -----

adj.kernel @large_state {
^bb0(%x: tensor<?x?x64xf32>, %w: tensor<?x?x32768xf32>):
  // expected-error @+1 {{bytes of scratch for the state of one block of lanes, and at most 4194304 are lowered}}
  %y = ssm.scan over [b, t, p, n] state [p, n] : f32
      ins(%x as [b, t, p], %w as [b, t, n] : tensor<?x?x64xf32>, tensor<?x?x32768xf32>)
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
