// RUN: adj-opt %s -split-input-file -verify-diagnostics

func.func @sum_of_other_floats(%a: tensor<?x?x8xf64>) {
  // expected-error@+1 {{result must hold f32 or bf16, found 'tensor<?x?x8xf64>'}}
  %y = ssm.residual %a, %a : tensor<?x?x8xf64>
  return
}

// -----

func.func @sum_of_two_shapes(%a: tensor<?x?x8xf32>, %b: tensor<?x?x4xbf16>) {
  // expected-error@+1 {{b must be 'tensor<?x?x8xf32>', found 'tensor<?x?x4xbf16>'}}
  %y = ssm.residual %a, %b : (tensor<?x?x8xf32>, tensor<?x?x4xbf16>) -> tensor<?x?x8xf32>
  return
}

// -----

func.func @parts_in_another_precision(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{part 1 is stored in 'bf16', the whole is 'tensor<?x?x8xf32>'}}
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xbf16>
  return
}

// -----

func.func @view_that_converts(%x: tensor<?x?x8xf32>) {
  // expected-error@+1 {{is a view and converts nothing}}
  %y = ssm.reshape %x : tensor<?x?x8xf32> -> tensor<?x?x2x4xbf16>
  return
}

// -----

func.func @mixed_gemm(%a: tensor<?x?x8xf32>, %b: tensor<8x4xbf16>) {
  // expected-error@+1 {{multiplies 'f32' by 'bf16'; give both in one precision}}
  %c = adj.gemm %a, %b : (tensor<?x?x8xf32>, tensor<8x4xbf16>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @gemm_that_rounds(%a: tensor<?x?x8xf32>, %b: tensor<8x4xf32>) {
  // expected-error@+1 {{rounds a product of f32 to bf16; store it in f32}}
  %c = adj.gemm %a, %b : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xbf16>
  return
}

// -----

func.func @gemm_that_accumulates(%a: memref<4x8xbf16>, %b: memref<8x4xbf16>, %c: memref<4x4xbf16>) {
  // expected-error@+1 {{accumulates in bf16; store it in f32}}
  adj.gemm %a, %b outs %c {accumulate} : (memref<4x8xbf16>, memref<8x4xbf16>, memref<4x4xbf16>) -> ()
  return
}

// -----

func.func @partials_in_bf16(%p: tensor<4x8xbf16>) {
  // expected-error@+1 {{must be the partials, which are f32,}}
  %s = adj.sum_partials %p : (tensor<4x8xbf16>) -> tensor<8xbf16>
  return
}

// -----

func.func @copy_of_no_parameter(%w: tensor<4x8xf32>) {
  // expected-error@+1 {{must read an ssm.parameter}}
  %c = adj.working_copy %w : tensor<4x8xf32> -> tensor<4x8xbf16>
  return
}

// -----

func.func @copy_of_another_shape() {
  %w = ssm.parameter "w" <ones> : tensor<4x8xf32>
  // expected-error@+1 {{the copy must be 'tensor<4x8xbf16>', found 'tensor<8x4xbf16>'}}
  %c = adj.working_copy %w : tensor<4x8xf32> -> tensor<8x4xbf16>
  return
}

// -----

func.func @logits_in_bf16(%l: tensor<?x?x8xbf16>, %t: tensor<?x?xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{takes logits in f32, found 'tensor<?x?x8xbf16>'}}
  %e, %g = adj.cross_entropy %l, %t, %s : (tensor<?x?x8xbf16>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?xf32>, tensor<?x?x8xbf16>)
  return
}
