// Everything that makes an operation of the dialect wrong.

// RUN: adj-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{takes 4 arguments, tokens, targets, resets and the loss scale, found 1}}
adj.program @p(%tokens: tensor<?x?xi32>) {
}

// -----

// expected-error@+1 {{the tokens must be 'tensor<?x?xi32>', found 'tensor<?x?xi64>'}}
adj.program @p(%tokens: tensor<?x?xi64>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
}

// -----

// expected-error@+1 {{the targets must be 'tensor<?x?xi32>', found 'tensor<?xi32>'}}
adj.program @p(%tokens: tensor<?x?xi32>, %targets: tensor<?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
}

// -----

// expected-error@+1 {{the resets must be 'tensor<?x?xi8>', found 'tensor<?x?xi1>'}}
adj.program @p(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi1>, %scale: tensor<f32>) {
}

// -----

// expected-error@+1 {{the loss scale must be 'tensor<f32>', found 'tensor<f64>'}}
adj.program @p(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f64>) {
}

// -----

func.func @f(%a: tensor<8xf32>, %b: tensor<8x8xf32>) {
  // expected-error@+1 {{a must be an f32 or bf16 tensor of rank 2 or more, found 'tensor<8xf32>'}}
  %y = adj.matmul %a, %b : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @f(%a: tensor<8x8xf32>, %b: tensor<8x8xf64>) {
  // expected-error@+1 {{b must be an f32 or bf16 tensor of rank 2 or more, found 'tensor<8x8xf64>'}}
  %y = adj.matmul %a, %b : (tensor<8x8xf32>, tensor<8x8xf64>) -> tensor<8x8xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x8xf32>, %b: tensor<4x8xf32>) {
  // expected-error@+1 {{multiplies op(a) with 8 columns by op(b) with 4 rows; they must be equal}}
  %y = adj.matmul %a, %b : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x8xf32>, %b: tensor<4x8xf32>) {
  // expected-error@+1 {{multiplies op(a) with (batch * tokens) columns by op(b) with 4 rows; they must be equal}}
  %y = adj.matmul %a, %b {transpose_a} : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x8xf32>, %b: tensor<8x4xf32>) {
  // expected-error@+1 {{result is 'tensor<8x4xf32>', as a matrix 8 by 4, expected (batch * tokens) by 4}}
  %y = adj.matmul %a, %b : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @f(%p: tensor<?x8xf32>) {
  // expected-error@+1 {{sums 'tensor<?x8xf32>' to 'tensor<4xf32>'; the result must be the partials, which are f32, without one or more leading dimensions}}
  %y = adj.sum_partials %p : (tensor<?x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @f(%p: tensor<8xf32>) {
  // expected-error@+1 {{sums 'tensor<8xf32>' to 'tensor<8xf32>'; the result must be}}
  %y = adj.sum_partials %p : (tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{x must be token-major, tensor<?x?xCxf32> (batch, tokens, channels), found 'tensor<?x8xf32>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{weight has shape (8, 4), expected (8, 1, any) (channels, 1, width): the convolution is depthwise}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x4xf32>) {
  // expected-error@+1 {{cotangent must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{dx must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x4xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{dweight (partial sums, one per sequence) must be 'tensor<?x8x1x4xf32>', found 'tensor<8x1x4xf32>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{dbias (partial sums, one per sequence) must be 'tensor<?x8xf32>', found 'tensor<8xf32>'}}
  %r0, %r1, %r2 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 1, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>, tensor<8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{next_tail_cotangent must be 'tensor<?x3x8xf32>', found 'tensor<?x4x8xf32>'}}
  %r0, %r1, %r2 = adj.conv1d_adjoint %x, %w, %g {resultSegmentSizes = array<i32: 1, 1, 0, 1>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>, tensor<?x4x8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>, %t: tensor<?x4x8xf32>) {
  // expected-error@+1 {{tail must be 'tensor<?x3x8xf32>', found 'tensor<?x4x8xf32>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g tail %t {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>, tensor<?x4x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>, %t: tensor<?x4x8xf32>) {
  // expected-error@+1 {{tail_cotangent must be 'tensor<?x3x8xf32>', found 'tensor<?x4x8xf32>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g tail_cotangent %t {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>, tensor<?x4x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %g: tensor<?x?x8xf32>, %t: tensor<?x?xi1>) {
  // expected-error@+1 {{resets must be 'tensor<?x?xi8>', found 'tensor<?x?xi1>'}}
  %r0, %r1 = adj.conv1d_adjoint %x, %w, %g resets %t {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>, tensor<?x?xi1>) -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>)
  return
}

// -----

adj.program @k(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // expected-error@+1 {{runs @k, which is no adj.kernel}}
  adj.dispatch @k() : () -> ()
}

// -----

adj.kernel @k {
  adj.yield
}
adj.program @p(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // expected-error@+1 {{passes 1 inputs to @k, which takes 0}}
  adj.dispatch @k(%scale) : (tensor<f32>) -> ()
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{mini-sequences must have at least 1 row, found 0}}
  %y = adj.mini_sequences 0 (%r = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %taps: tensor<8x1x4xf32>) {
  %y = adj.mini_sequences (%r = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    // expected-error@+1 {{looks at other tokens: it may not stand in mini-sequences, which see a row at a time}}
    %c = ssm.conv1d %r, %taps : (tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<8x1x4xf32>) -> tensor<?x8xf32, #adj.blocks<"mini", 1>>
    adj.write_rows 0, %c : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a tensor of (batch, tokens, ...), found 'tensor<4x8xf32>'}}
  %y = adj.mini_sequences 256 (%r = %x : tensor<4x8xf32>) -> (tensor<?x?x8xf32>) {
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{never writes result 0; add an adj.write_rows}}
  %y = adj.mini_sequences 256 (%r = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = adj.mini_sequences 256 (%r = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
    // expected-error@+1 {{writes result 0 a second time}}
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = adj.mini_sequences 256 (%r = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
    // expected-error@+1 {{writes result 3; there are 1}}
    adj.write_rows 3, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = adj.mini_sequences 256 (%r = %x : tensor<?x?x8xf32>) -> (tensor<?x?x4xf32>) {
    // expected-error@+1 {{writes 'tensor<?x8xf32, #adj.blocks<"mini", 1>>' into result 0, expected its rows, 'tensor<?x4xf32, #adj.blocks<"mini", 1>>'}}
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{result 0 must be (batch, tokens, ...), found 'tensor<8xf32>'}}
  %y = adj.mini_sequences 256 (%r = %x : tensor<?x?x8xf32>) -> (tensor<8xf32>) {
    adj.write_rows 0, %r : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{has a body with 0 arguments, expected one per operand, 1}}
  "adj.mini_sequences"(%x) <{rows = 8 : i64}> ({
  ^bb0:
  }) : (tensor<?x?x8xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{operand 0 must be (batch, tokens, ...), found 'tensor<4xf32>'}}
  "adj.mini_sequences"(%s) <{rows = 8 : i64}> ({
  ^bb0(%r: tensor<4xf32>):
  }) : (tensor<4xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{argument 0 must be the rows of its operand, 'tensor<?x8xf32, #adj.blocks<"mini", 1>>', found 'tensor<?x8xf32>'}}
  "adj.mini_sequences"(%x) <{rows = 8 : i64}> ({
  ^bb0(%r: tensor<?x8xf32>):
  }) : (tensor<?x?x8xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{'d' has size 4 in input 1, but 8 in input 0}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x8xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{cotangent 0 has rank 2, its map names 3 dimension(s)}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{the lane must be a state dimension, found number 1}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 1 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{lane_block must be at least 1, found 0}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 0 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{checkpoint_every must be at least 1, found 0}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 0 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{checkpoints (batch, blocks of tokens, state) must be}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 4 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x3xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{state cotangent must be 'tensor<?x4xf32>', found 'tensor<?x3xf32>'}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x3xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{next state cotangent must be 'tensor<?x4xf32>', found 'tensor<?x3xf32>'}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x3xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi1>) {
  // expected-error@+1 {{resets must be 'tensor<?x?xi8>', found 'tensor<?x?xi1>'}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi1>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{yields 2 input cotangents for 1 differentiated inputs}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{differentiates input 2; there are 2}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 2>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{the cotangent of input 1 must be 'tensor<?x4xf32>', found 'tensor<4xf32>'}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{the adjoint region takes 7 arguments, found 6}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // expected-error@+1 {{the step region must end with ssm.yield}}
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    llvm.unreachable
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    // expected-error@+1 {{must yield the state cotangent and one contribution per differentiated input, 3 values, found 1}}
    ssm.yield %back : f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    // expected-error@+1 {{the state cotangent must be 'f32', found 'i1'}}
    ssm.yield %reset, %p, %dw : i1, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    // expected-error@+1 {{contribution 1 must be f32, found 'i1'}}
    ssm.yield %back, %p, %reset : f32, f32, i1
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    // expected-error@+1 {{sums over 't'; sums over the batch or the tokens are not local to a token}}
    %s = ssm.sum [1] %p : f32
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4x4xf32>, %resets: tensor<?x?xi8>) {
  %r0, %r1, %r2 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4x4xf32>) resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d", "n"], state = array<i64: 2, 3>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d, n) -> (b, t, d)>, affine_map<(b, t, d, n) -> (n)>, affine_map<(b, t, d, n) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<1x?x4xf32> next tensor<?x4x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    %p = arith.addf %dy, %carried : f32
    %back = arith.mulf %w, %p : f32
    %dw = arith.mulf %p, %before : f32
    // expected-error@+1 {{contribution 0 varies over n, which it must not; sum over it with ssm.sum}}
    ssm.yield %back, %p, %dw : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>, %checkpoints: tensor<?x?x4x4xf32, #adj.blocks<"tokens", 8>>) {
  // expected-error@+1 {{a grouped dimension must be a state dimension other than the lane, found number 2}}
  %r0, %r1 = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4x4xf32, #adj.blocks<"tokens", 8>>)
      {dims = ["b", "t", "d", "n"], state = array<i64: 2, 3>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64, grouped = array<i64: 2>,
       indexing_maps = [affine_map<(b, t, d, n) -> (b, t, d)>, affine_map<(b, t, d, n) -> (n)>, affine_map<(b, t, d, n) -> (b, t, d)>], differentiated = array<i64: 0, 1>}
      -> tensor<?x?x4xf32>, tensor<1x?x4xf32>
  step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } adjoint {
  ^bb0(%v: f32, %w: f32, %dy: f32, %before: f32, %after: f32, %carried: f32, %reset: i1):
    ssm.yield %carried, %dy, %w : f32, f32, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{the result must be partial sums over blocks of rows, tensor<?x8xf32, #adj.blocks<"rows", N>> with N at least 1, found 'tensor<?x8xf32>'}}
  %p = adj.column_sum %x : (tensor<?x?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{with N at least 1, found 'tensor<?x8xf32, #adj.blocks<"rows", 0>>'}}
  %p = adj.column_sum %x : (tensor<?x?x8xf32>) -> tensor<?x8xf32, #adj.blocks<"rows", 0>>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{tensor<?x8xf32, #adj.blocks<"rows", N>> with N at least 1, found 'tensor<?x4xf32, #adj.blocks<"rows", 64>>'}}
  %p = adj.column_sum %x : (tensor<?x?x8xf32>) -> tensor<?x4xf32, #adj.blocks<"rows", 64>>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{x must be token-major}}
  %p = adj.column_sum %x : (tensor<4x8xf32>) -> tensor<?x8xf32, #adj.blocks<"rows", 64>>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<4xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{weight has shape (4), expected (8) (channels)}}
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %g eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<4xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8xf32, #adj.blocks<"rows", 64>>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>, %g: tensor<?x?x4xf32>) {
  // expected-error@+1 {{cotangent must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %g eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<?x?x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x8xf32, #adj.blocks<"rows", 64>>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{dx must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %g eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x4xf32>, tensor<?x8xf32, #adj.blocks<"rows", 64>>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{dweight must be partial sums over blocks of rows}}
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %g eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<8xf32>)
  return
}

// -----

func.func @f(%t: tensor<?x?xf32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{tokens must be tensor<?x?xi32>}}
  %d = adj.embedding_adjoint %t, %g : (tensor<?x?xf32>, tensor<?x?x8xf32>) -> tensor<10x8xf32>
  return
}

// -----

func.func @f(%t: tensor<?x?xi32>, %g: tensor<?x?x8xf32>) {
  // expected-error@+1 {{dtable has shape (10, 4), expected (any, 8) (vocabulary, channels)}}
  %d = adj.embedding_adjoint %t, %g : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<10x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x4xf32>, %t: tensor<?x?xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{weight has shape (10, 4), expected (any, 8) (vocabulary, channels)}}
  %dx, %dw = adj.lm_loss_adjoint %x, %w, %t, %s : (tensor<?x?x8xf32>, tensor<10x4xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?x8xf32>, tensor<10x8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %t: tensor<?x?xi32>, %s: tensor<1xf32>) {
  // expected-error@+1 {{scale must be 'tensor<f32>', found 'tensor<1xf32>'}}
  %dx, %dw = adj.lm_loss_adjoint %x, %w, %t, %s : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<1xf32>) -> (tensor<?x?x8xf32>, tensor<10x8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %t: tensor<?x?xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{dx must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %dx, %dw = adj.lm_loss_adjoint %x, %w, %t, %s : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?x4xf32>, tensor<10x8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %t: tensor<?x?xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{dweight must be 'tensor<10x8xf32>', found 'tensor<8x10xf32>'}}
  %dx, %dw = adj.lm_loss_adjoint %x, %w, %t, %s : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?x8xf32>, tensor<8x10xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %t: tensor<?x?xi32>, %s: tensor<f32>, %b: tensor<10xf32>) {
  // expected-error@+1 {{has a bias without its cotangent, or the reverse; give both or none}}
  %dx, %dw = adj.lm_loss_adjoint %x, %w, %t, %s bias %b : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<f32>, tensor<10xf32>) -> (tensor<?x?x8xf32>, tensor<10x8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %t: tensor<?x?xi32>, %s: tensor<f32>, %b: tensor<10xf32>) {
  // expected-error@+1 {{dbias must be 'tensor<10xf32>', found 'tensor<9xf32>'}}
  %dx, %dw, %db = adj.lm_loss_adjoint %x, %w, %t, %s bias %b : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<f32>, tensor<10xf32>) -> (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<9xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x10xf32, #adj.blocks<"mini", 1>>, %t: tensor<?x?xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{has targets 'tensor<?x?xi32>' for logits}}
  %l, %d = adj.cross_entropy %x, %t, %s : (tensor<?x10xf32, #adj.blocks<"mini", 1>>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x10xf32, #adj.blocks<"mini", 1>>)
  return
}

// -----

func.func @f(%x: tensor<?x10xf32, #adj.blocks<"mini", 1>>, %t: tensor<?xi32, #adj.blocks<"mini", 1>>, %s: tensor<f32>) {
  // expected-error@+1 {{losses must be 'tensor<?xf32, #adj.blocks<"mini", 1>>', found 'tensor<?xf32>'}}
  %l, %d = adj.cross_entropy %x, %t, %s : (tensor<?x10xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>) -> (tensor<?xf32>, tensor<?x10xf32, #adj.blocks<"mini", 1>>)
  return
}

// -----

func.func @f(%x: tensor<?x10xf32, #adj.blocks<"mini", 1>>, %t: tensor<?xi32, #adj.blocks<"mini", 1>>, %s: tensor<f32>) {
  // expected-error@+1 {{the cotangent, which takes the logits' buffer, must be}}
  %l, %d = adj.cross_entropy %x, %t, %s : (tensor<?x10xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>) -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x9xf32, #adj.blocks<"mini", 1>>)
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %b: tensor<8x4xf32>) {
  // expected-error@+1 {{must have one place for its product: a result, `outs` or `into`}}
  adj.gemm %a, %b : (tensor<4x8xf32>, tensor<8x4xf32>) -> ()
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %b: tensor<8x4xf32>) {
  // expected-error@+1 {{must have one place for its product: a result, `outs` or `into`}}
  %c = adj.gemm %a, %b into "p" : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %b: tensor<8x4xf32>) {
  // expected-error@+1 {{accumulates into nothing; `accumulate` goes with `outs`}}
  %c = adj.gemm %a, %b {accumulate} : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %b: tensor<6x4xf32>) {
  // expected-error@+1 {{multiplies op(a) with 8 columns by op(b) with 6 rows; they must be equal}}
  adj.gemm %a, %b into "p" : (tensor<4x8xf32>, tensor<6x4xf32>) -> ()
  return
}

// -----

func.func @f(%a: memref<4x8xf32>, %b: memref<8x4xf32>, %c: memref<4x5xf32>) {
  // expected-error@+1 {{result is 'memref<4x5xf32>', as a matrix 4 by 5, expected 4 by 4}}
  adj.gemm %a, %b outs %c : (memref<4x8xf32>, memref<8x4xf32>, memref<4x5xf32>) -> ()
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{offset must not be negative, found -64}}
  %b = adj.buffer "x" arena {offset = -64 : i64, size = 64 : i64, layer_stride = 0 : i64, row_bytes = 0 : i64} : memref<16xf32>
  return
}

// -----

func.func @f(%a: memref<4x8xf32>, %b: memref<8x4xf32>) {
  // expected-error@+1 {{copies 'memref<4x8xf32>' to 'memref<8x4xf32>'; shapes and element types must be equal}}
  adj.copy %a, %b : memref<4x8xf32>, memref<8x4xf32>
  return
}

// -----

adj.kernel @k {
^bb0(%x: tensor<?x?x8xf32>):
  %y = ssm.residual %x, %x : tensor<?x?x8xf32>
  adj.yield %y : tensor<?x?x8xf32>
}

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{takes 2 outputs of @k, which yields 1}}
  %a, %b = adj.dispatch @k(%x) : (tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x?x8xf32>)
  return
}

// -----

adj.kernel @k {
^bb0(%x: tensor<?x?x8xf32>):
  %y = ssm.residual %x, %x : tensor<?x?x8xf32>
  adj.yield %y : tensor<?x?x8xf32>
}

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{passes 'tensor<?x?x4xf32>' as input 0 of @k, which takes 'tensor<?x?x8xf32>'}}
  %a = adj.dispatch @k(%x) : (tensor<?x?x4xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

adj.kernel @k {
^bb0(%x: tensor<?x?x8xf32>):
  %y = ssm.residual %x, %x : tensor<?x?x8xf32>
  adj.yield %y : tensor<?x?x8xf32>
}

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{takes output 0 of @k as 'tensor<?x?x4xf32>', it is 'tensor<?x?x8xf32>'}}
  %a = adj.dispatch @k(%x) : (tensor<?x?x8xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%g: tensor<8xf32>) {
  // expected-error@+1 {{names no parameter}}
  adj.accumulate "", %g : tensor<8xf32>
  return
}

// -----

func.func @f(%g: tensor<?x8xf32, #adj.blocks<"rows", 16>>) {
  // expected-error@+1 {{adds 'tensor<?x8xf32, #adj.blocks<"rows", 16>>' to the gradient of "norm.weight"; a gradient is an f32 tensor of static shape (partial sums are summed first)}}
  adj.accumulate "norm.weight", %g : tensor<?x8xf32, #adj.blocks<"rows", 16>>
  return
}

// -----

func.func @f(%g: tensor<8xf64>) {
  // expected-error@+1 {{adds 'tensor<8xf64>' to the gradient of "norm.weight"}}
  adj.accumulate "norm.weight", %g : tensor<8xf64>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{has the name "state", expected scope/carry, such as "scan0/state"}}
  %s = adj.carried "state" : tensor<?x8xf32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{carries 'tensor<3x8xf32>', expected f32 per sequence, tensor<?x...xf32> (batch, ...)}}
  %s = adj.carried cotangent "scan0/state" : tensor<3x8xf32>
  return
}

// -----

func.func @f(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{has the name "scan0/", expected scope/carry}}
  adj.hand_over "scan0/", %s : tensor<?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<?x8xi32>) {
  // expected-error@+1 {{carries 'tensor<?x8xi32>', expected f32 per sequence}}
  adj.hand_over cotangent "scan0/state", %s : tensor<?x8xi32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{must stand in the body of an ssm.repeat: what it sends is kept for the adjoint of a layer}}
  %ring, %host = adj.offload %x : tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x4xf32>) {
  // expected-error@+1 {{must fetch, in a reverse ssm.repeat, a slice of what an adj.offload in a forward one of as many layers sent to the host}}
  %v = adj.prefetch %x : tensor<?x?x4xf32>
  return
}

// -----

// What was stacked without being sent.
func.func @f(%x: tensor<?x?x4xf32>) {
  %y:2 = ssm.repeat 3 iter(%r = %x : tensor<?x?x4xf32>) stacks(tensor<3x?x?x4xf32>) {
    ssm.yield %r, %r : tensor<?x?x4xf32>, tensor<?x?x4xf32>
  }
  %z = ssm.repeat 3 iter(%r = %y#0 : tensor<?x?x4xf32>) slices(%s = %y#1 : tensor<3x?x?x4xf32>) reverse {
    // expected-error@+1 {{must fetch, in a reverse ssm.repeat, a slice}}
    %v = adj.prefetch %s : tensor<?x?x4xf32>
    ssm.yield %v : tensor<?x?x4xf32>
  }
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{layer_stride must not be negative, found -1}}
  %host = adj.host_buffer "offloaded" {offset = 0 : i64, size = 64 : i64, layer_stride = -1 : i64, layers = 3 : i64} : memref<?x?x4xf32>
  return
}

// -----

func.func @f(%x: memref<?x?x4xf32>) {
  %host = adj.host_buffer "offloaded" {offset = 0 : i64, size = 64 : i64, layer_stride = 64 : i64, layers = 3 : i64} : memref<?x?x4xf32>
  // expected-error@+1 {{goes from an adj.buffer to an adj.host_buffer}}
  adj.transfer to_host %x, %host : memref<?x?x4xf32>
  return
}

// -----

func.func @f(%x: memref<?x?x4xf32>) {
  // expected-error@+1 {{goes from an adj.host_buffer to an adj.buffer}}
  adj.transfer to_device %x, %x : memref<?x?x4xf32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{leaves -1 transfers running; give 0 or more}}
  adj.await to_host behind -1
  return
}

// -----

func.func @f(%w: tensor<4x8xf32>) {
  // expected-error@+1 {{must read an ssm.parameter}}
  %copy = adj.working_copy %w : tensor<4x8xf32> -> tensor<4x8xbf16>
  return
}

// -----

func.func @f() {
  %w = ssm.parameter "w" <ones> : tensor<4x8xf32>
  // expected-error@+1 {{the copy must be 'tensor<4x8xbf16>', found 'tensor<4x8xf32>'}}
  %copy = adj.working_copy %w : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f() {
  %w = ssm.parameter "w" <ones> : tensor<4x8xf32>
  // expected-error@+1 {{the copy must be 'tensor<4x8xbf16>', found 'tensor<8x4xbf16>'}}
  %copy = adj.working_copy %w : tensor<4x8xf32> -> tensor<8x4xbf16>
  return
}

// -----

func.func @f(%w: tensor<?x8xf32>) {
  // expected-error@+1 {{operand #0 must be statically shaped tensor}}
  %copy = adj.working_copy %w : tensor<?x8xf32> -> tensor<4x8xbf16>
  return
}

// -----

func.func @f(%rounded: tensor<?x8xbf16>) {
  // expected-error@+1 {{operand #0 must be statically shaped tensor}}
  adj.refresh "w", %rounded : tensor<?x8xbf16>
  return
}
