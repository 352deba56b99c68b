// RUN: adj-opt %s --split-input-file --verify-diagnostics

// ---- the shape of layers

func.func @f(%tokens: tensor<?xi32>, %table: tensor<10x8xf32>) {
  // expected-error@+1 {{tokens must be tensor<?x?xi32> (batch, tokens), found 'tensor<?xi32>'}}
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%tokens: tensor<?x?xi32>, %table: tensor<10x8xf64>) {
  // expected-error@+1 {{table must hold f32, found 'tensor<10x8xf64>'}}
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf64>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%tokens: tensor<?x?xi32>, %table: tensor<10x8xf32>) {
  // expected-error@+1 {{result has 9 channels, expected 8 as in the table}}
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x9xf32>
  return
}

// -----

func.func @f(%x: tensor<?x16x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{x must be token-major, tensor<?x?xCxf32> (batch, tokens, channels), found 'tensor<?x16x8xf32>'}}
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x16x8xf32>, tensor<8xf32>) -> tensor<?x16x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<7xf32>) {
  // expected-error@+1 {{weight has shape (7), expected (8), one per channel of x}}
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<7xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{result must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>) {
  // expected-error@+1 {{eps must be positive and finite, found 0}}
  %y = ssm.rms_norm %x, %w eps 0.0 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<16x7xf32>) {
  // expected-error@+1 {{weight has shape (16, 7), expected (any, 8) (out, in), in being the channels of x}}
  %y = ssm.linear %x, %w : (tensor<?x?x8xf32>, tensor<16x7xf32>) -> tensor<?x?x16xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<16x8xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{bias has shape (8), expected (16), one per row of weight}}
  %y = ssm.linear %x, %w, %b : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<8xf32>) -> tensor<?x?x16xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<16x8xf32>) {
  // expected-error@+1 {{result has 8 channels, expected 16, one per row of weight}}
  %y = ssm.linear %x, %w : (tensor<?x?x8xf32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x4xf32>) {
  // expected-error@+1 {{weight has shape (8, 4), expected (8, 1, any) (channels, 1, width): the convolution is depthwise}}
  %y = ssm.conv1d %x, %w : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{bias has shape (4), expected (8), one per channel of x}}
  %y = ssm.conv1d %x, %w bias %b : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<4xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %tail: tensor<?x4x8xf32>) {
  // expected-error@+1 {{tail (batch, width - 1, channels) must be 'tensor<?x3x8xf32>', found 'tensor<?x4x8xf32>'}}
  %y = ssm.conv1d %x, %w tail %tail : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x4x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>) {
  // expected-error@+1 {{next tail (batch, width - 1, channels) must be 'tensor<?x3x8xf32>', found 'tensor<?x4x8xf32>'}}
  %y, %t = ssm.conv1d %x, %w : (tensor<?x?x8xf32>, tensor<8x1x4xf32>) -> (tensor<?x?x8xf32>, tensor<?x4x8xf32>)
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<8x1x4xf32>, %resets: tensor<?x?xi1>) {
  // expected-error@+1 {{resets must be 'tensor<?x?xi8>', found 'tensor<?x?xi1>'}}
  %y = ssm.conv1d %x, %w resets %resets : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?xi1>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{the parts have 7 channels together, expected 8, those of the whole}}
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x3xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{part 1 must be token-major, tensor<?x?xCxf32> (batch, tokens, channels), found 'tensor<?x4xf32>'}}
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{has no parts}}
  "ssm.split"(%x) : (tensor<?x?x8xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{the parts have 16 channels together, expected 8}}
  %y = ssm.concat %x, %x : tensor<?x?x8xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x4xf32>, %targets: tensor<?x?xi32>) {
  // expected-error@+1 {{weight has shape (10, 4), expected (any, 8) (vocabulary, channels), channels being those of x}}
  %l = ssm.lm_loss %x, %w, %targets : (tensor<?x?x8xf32>, tensor<10x4xf32>, tensor<?x?xi32>) -> tensor<f32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %targets: tensor<?x?xi64>) {
  // expected-error@+1 {{targets must be tensor<?x?xi32> (batch, tokens), found 'tensor<?x?xi64>'}}
  %l = ssm.lm_loss %x, %w, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi64>) -> tensor<f32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %targets: tensor<?x?xi32>) {
  // expected-error@+1 {{loss must be 'tensor<f32>', found 'tensor<1xf32>'}}
  %l = ssm.lm_loss %x, %w, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<1xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %w: tensor<10x8xf32>, %targets: tensor<?x?xi32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{bias has shape (8), expected (10), one per row of weight}}
  %l = ssm.lm_loss %x, %w, %targets bias %b : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<8xf32>) -> tensor<f32>
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<4x2xf32>, %B: !s) {
  // expected-error@+1 {{A_log has shape (4, 2), expected (8, any) (channels, states), channels being those of x}}
  %y = ssm.selective_scan %x, %x, %A, %B, %B : (!x, !x, tensor<4x2xf32>, !s, !s) -> !x
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<8x2xf32>, %B: !s) {
  // expected-error@+1 {{dt has 2 channels, expected 8 as x}}
  %y = ssm.selective_scan %x, %B, %A, %B, %B : (!x, !s, tensor<8x2xf32>, !s, !s) -> !x
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<8x2xf32>, %B: !s) {
  // expected-error@+1 {{C has 8 channels, expected 2, the states of A_log}}
  %y = ssm.selective_scan %x, %x, %A, %B, %x : (!x, !x, tensor<8x2xf32>, !s, !x) -> !x
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<8x2xf32>, %B: !s) {
  // expected-error@+1 {{B has 8 channels, expected 2, the states of A_log}}
  %y = ssm.selective_scan %x, %x, %A, %x, %B : (!x, !x, tensor<8x2xf32>, !x, !s) -> !x
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<8x2xf32>, %B: !s, %v: tensor<2xf32>) {
  // expected-error@+1 {{skip (D) has shape (2), expected (8), one per channel of x}}
  %y = ssm.selective_scan %x, %x, %A, %B, %B skip %v : (!x, !x, tensor<8x2xf32>, !s, !s, tensor<2xf32>) -> !x
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<8x2xf32>, %B: !s) {
  // expected-error@+1 {{gate (z) has 2 channels, expected 8 as x}}
  %y = ssm.selective_scan %x, %x, %A, %B, %B gate %B : (!x, !x, tensor<8x2xf32>, !s, !s, !s) -> !x
  return
}

// -----

!x = tensor<?x?x8xf32>
!s = tensor<?x?x2xf32>
func.func @f(%x: !x, %A: tensor<8x2xf32>, %B: !s, %v: tensor<2xf32>) {
  // expected-error@+1 {{dt_bias has shape (2), expected (8), one per channel of x}}
  %y = ssm.selective_scan %x, %x, %A, %B, %B dt_bias %v : (!x, !x, tensor<8x2xf32>, !s, !s, tensor<2xf32>) -> !x
  return
}

// ---- reshape

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{x has 8 elements a token, the result 6}}
  %a = ssm.reshape %x : tensor<?x?x8xf32> -> tensor<?x?x2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{x must be token-major, tensor<?x?x...xf32> (batch, tokens, any static sizes), found 'tensor<?x8xf32>'}}
  %a = ssm.reshape %x : tensor<?x8xf32> -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{the result must be token-major, tensor<?x?x...xf32> (batch, tokens, any static sizes), found 'tensor<?x?x?x4xf32>'}}
  %a = ssm.reshape %x : tensor<?x?x8xf32> -> tensor<?x?x?x4xf32>
  return
}

// -----

// ---- initialisers and parameters

// -----

// expected-error@+1 {{unknown initialiser 'orthogonal'; use zeros, ones, constant, normal, uniform, arange, a_log or dt_bias}}
%w = ssm.parameter "w" <orthogonal> : tensor<8xf32>

// -----

// expected-error@+1 {{initialiser 'normal' takes 2 number(s), found 1}}
%w = ssm.parameter "w" <normal, 0.0> : tensor<8xf32>

// -----

// expected-error@+1 {{initialiser 'constant' has a number that is not finite}}
%w = ssm.parameter "w" <constant, 1.0e999> : tensor<8xf32>

// -----

// expected-error@+1 {{initialiser 'normal' has a negative standard deviation}}
%w = ssm.parameter "w" <normal, 0.0, -1.0> : tensor<8xf32>

// -----

// expected-error@+1 {{write the smaller bound first}}
%w = ssm.parameter "w" <uniform, 1.0, -1.0> : tensor<8xf32>

// -----

// expected-error@+1 {{initialiser 'dt_bias' takes 0 < smallest <= largest time step and a positive floor}}
%w = ssm.parameter "w" <dt_bias, 0.0, 1.0, 1.0e-4> : tensor<8xf32>

// -----

// expected-error@+1 {{has an empty name}}
%w = ssm.parameter "" <zeros> : tensor<8xf32>

// -----

// expected-error@+1 {{"w.{layer}" is outside of ssm.repeat: there is no layer to replace {layer} by}}
%w = ssm.parameter "w.{layer}" <zeros> : tensor<8xf32>

// -----

// expected-error@+1 {{"w" must hold f32 (parameters are f32 masters), found 'tensor<8xbf16>'}}
%w = ssm.parameter "w" <zeros> : tensor<8xbf16>

// -----

// expected-error@+1 {{"w" has a dimension of size 0}}
%w = ssm.parameter "w" <zeros> : tensor<0xf32>

// -----

// expected-error@+1 {{the initialiser a_log is for (channels, states), found 'tensor<8xf32>'}}
%w = ssm.parameter "w" <a_log> : tensor<8xf32>

// ---- stacks

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error@+1 {{must hold the placeholder {layer} exactly once, found 0 times}}
    %w = ssm.parameter "w" <zeros> : tensor<8xf32>
    ssm.yield %r : tensor<?x?x8xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{must run at least once, found a count of 0}}
  %y = ssm.repeat 0 iter(%r = %x : tensor<?x?x8xf32>) {
    ssm.yield %r : tensor<?x?x8xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error@+1 {{must not be inside another ssm.repeat; write one stack after the other}}
    %z = ssm.repeat 2 iter(%q = %r : tensor<?x?x8xf32>) {
      ssm.yield %q : tensor<?x?x8xf32>
    }
    ssm.yield %z : tensor<?x?x8xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error@+1 {{yields 0 values, expected 1: one per result of the ssm.repeat}}
    ssm.yield
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    %a, %b = ssm.split %r : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
    // expected-error@+1 {{value 0 is 'tensor<?x?x4xf32>', which does not continue the carried value of type 'tensor<?x?x8xf32>'}}
    ssm.yield %a : tensor<?x?x4xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %y, %s = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) stacks(tensor<3x?x?x8xf32>) {
    // expected-error@+1 {{value 1 is 'tensor<?x?x8xf32>', which does not stack to the result of type 'tensor<3x?x?x8xf32>'}}
    ssm.yield %r, %r : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  %c = arith.constant 0.0 : f32
  %y, %s = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) stacks(tensor<2xf32>) {
    // expected-error@+1 {{value 1 must be a tensor to be stacked, found 'f32'}}
    ssm.yield %r, %c : tensor<?x?x8xf32>, f32
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{sliced value 0 needs a leading dimension of 2, one slice per iteration, found 'tensor<?x?x8xf32>'}}
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) slices(%s = %x : tensor<?x?x8xf32>) {
    ssm.yield %r : tensor<?x?x8xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{a sliced value must be a tensor with a leading dimension, found 'tensor<f32>'}}
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) slices(%q = %s : tensor<f32>) {
    ssm.yield %r : tensor<?x?x8xf32>
  }
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{carried value 0 changes its type: starts as 'tensor<?x?x8xf32>', is 'tensor<?x?x4xf32>' in the body, ends as 'tensor<?x?x8xf32>'}}
  %y = "ssm.repeat"(%x) <{count = 2 : i64, operandSegmentSizes = array<i32: 1, 0>}> ({
  ^bb0(%r: tensor<?x?x4xf32>):
    ssm.yield %x : tensor<?x?x8xf32>
  }) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{has 0 results, expected at least one per carried value, 1}}
  "ssm.repeat"(%x) <{count = 2 : i64, operandSegmentSizes = array<i32: 1, 0>}> ({
  ^bb0(%r: tensor<?x?x8xf32>):
    ssm.yield
  }) : (tensor<?x?x8xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{has a body with 0 arguments, expected 1 carried values and 0 slices}}
  %y = "ssm.repeat"(%x) <{count = 2 : i64, operandSegmentSizes = array<i32: 1, 0>}> ({
    ssm.yield %x : tensor<?x?x8xf32>
  }) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %s: tensor<2x?xf32>) {
  // expected-error@+1 {{slice 0 is 'tensor<f32>' in the body, expected 'tensor<?xf32>'}}
  %y = "ssm.repeat"(%x, %s) <{count = 2 : i64, operandSegmentSizes = array<i32: 1, 1>}> ({
  ^bb0(%r: tensor<?x?x8xf32>, %q: tensor<f32>):
    ssm.yield %r : tensor<?x?x8xf32>
  }) : (tensor<?x?x8xf32>, tensor<2x?xf32>) -> tensor<?x?x8xf32>
  return
}

// ---- the MLP

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{down has shape (32, 8), expected (8, 32) (channels, hidden), the transpose of up}}
  %y = ssm.mlp silu %x up %wide down %wide : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<32x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{up has shape (8, 32), expected (any, 8) (hidden, channels), channels being those of x}}
  %y = ssm.mlp silu %x up %back down %wide : (tensor<?x?x8xf32>, tensor<8x32xf32>, tensor<32x8xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{gate has shape (8, 32), expected (32, 8) as up}}
  %y = ssm.mlp silu %x gate %back up %wide down %back : (tensor<?x?x8xf32>, tensor<8x32xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{the bias of gate has shape (8), expected (32), one per row of its weight}}
  %y = ssm.mlp silu %x gate %wide bias %b up %wide down %back : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{the bias of up has shape (8), expected (32), one per row of its weight}}
  %y = ssm.mlp silu %x up %wide bias %b down %back : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{the bias of down has shape (32), expected (8), one per row of its weight}}
  %y = ssm.mlp silu %x up %wide down %back bias %w : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>, tensor<32xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{result must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xf32>'}}
  %y = ssm.mlp silu %x up %wide down %back : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{has a bias of the gate but no gate}}
  %y = "ssm.mlp"(%x, %w, %wide, %back) <{activation = 0 : i32, operandSegmentSizes = array<i32: 1, 0, 1, 1, 0, 1, 0>}>
     : (tensor<?x?x8xf32>, tensor<32xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{containing one of the following enum values for attribute 'activation' [silu, gelu, gelu_pytorch_tanh]}}
  %y = ssm.mlp relu %x up %wide down %back : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x8xf32>, %wide: tensor<32x8xf32>, %back: tensor<8x32xf32>) {
  // expected-error@+1 {{x must be token-major}}
  %y = ssm.mlp silu %x up %wide down %back : (tensor<?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>
  return
}

// -----

// ---- models

// -----

// expected-error@+1 {{takes 2 arguments, tokens and targets, found 1}}
ssm.model @m(%tokens: tensor<?x?xi32>) {
  %c = arith.constant dense<0.0> : tensor<f32>
  ssm.return %c : tensor<f32>
}

// -----

// expected-error@+1 {{the second argument (targets) must be tensor<?x?xi32> (batch, tokens), found 'tensor<?x?xf32>'}}
ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xf32>) {
  %c = arith.constant dense<0.0> : tensor<f32>
  ssm.return %c : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  // expected-error@+1 {{must return the loss, one 'tensor<f32>'; found 0 value(s)}}
  ssm.return
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  // expected-error@+1 {{has a result of type 'tensor<f64>'; a model computes on f32 tensors}}
  %c = arith.constant dense<0.0> : tensor<f64>
  %d = arith.constant dense<0.0> : tensor<f32>
  ssm.return %d : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  // expected-note@+1 {{the first is here}}
  %a = ssm.parameter "w.1" <zeros> : tensor<8xf32>
  %table = ssm.parameter "table" <zeros> : tensor<10x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error@+1 {{is the second parameter named "w.1" and differs from the first in type or initialiser; make both equal, or rename one}}
    %b = ssm.parameter "w.{layer}" <ones> : tensor<8xf32>
    ssm.yield %r : tensor<?x?x8xf32>
  }
  %l = ssm.lm_loss %y, %table, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %l : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "table" <zeros> : tensor<10x8xf32>
  // expected-note@+1 {{it is 10 here}}
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  %head = ssm.parameter "head" <zeros> : tensor<12x8xf32>
  // expected-error@+1 {{has a vocabulary of 12, which must be the same in the whole model: it is 10 elsewhere}}
  %l = ssm.lm_loss %x, %head, %targets : (tensor<?x?x8xf32>, tensor<12x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %l : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "table" <zeros> : tensor<10x8xf32>
  // expected-error@+1 {{must look up the model's tokens, its first argument}}
  %x = ssm.embedding %targets, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  %l = ssm.lm_loss %x, %table, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %l : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "table" <zeros> : tensor<10x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  // expected-error@+1 {{must predict the model's targets, its second argument}}
  %l = ssm.lm_loss %x, %table, %tokens : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %l : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  // expected-error@+1 {{is named __metadata__, which parameter files keep for themselves; rename it}}
  %table = ssm.parameter "__metadata__" <zeros> : tensor<10x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  %l = ssm.lm_loss %x, %table, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %l : tensor<f32>
}

// -----

ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  // expected-note@+1 {{the first is here}}
  %a = ssm.parameter "w.1" <zeros> : tensor<8xf32>
  %table = ssm.parameter "table" <zeros> : tensor<10x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error@+1 {{is the second parameter named "w.1" and one of a layer, where the first is not; rename one}}
    %b = ssm.parameter "w.{layer}" <zeros> : tensor<8xf32>
    ssm.yield %r : tensor<?x?x8xf32>
  }
  %l = ssm.lm_loss %x, %table, %targets : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %l : tensor<f32>
}
