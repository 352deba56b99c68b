// RUN: adj-opt --adj-lower-kernels --split-input-file --verify-diagnostics %s

adj.kernel @two {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  // expected-error @below {{is the second operation that kernel @two computes; form one kernel per operation}}
  %d = ssm.residual %c, %b : tensor<?x?x8xf32>
  adj.yield %d : tensor<?x?x8xf32>
}

// -----

adj.kernel @unknown {
^bb0(%a: tensor<?x?x8xf32>):
  // expected-error @below {{has no kernel emitter (kernel @unknown)}}
  %c = ssm.silu %a : tensor<?x?x8xf32>
  adj.yield %c : tensor<?x?x8xf32>
}

// -----

// expected-error @below {{accumulates, which 'ssm.residual' does not do}}
adj.kernel @accumulating accumulate {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c : tensor<?x?x8xf32>
}

// -----

// expected-error @below {{@aligned has 1 alignments for 2 inputs and 1 outputs}}
adj.kernel @aligned attributes {alignments = array<i64: 16>} {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c : tensor<?x?x8xf32>
}

// -----

// expected-error @below {{@planned needs a shard of a positive batch and number of tokens (array<i64: batch, tokens>), found array<i64: 1, 0>}}
adj.kernel @planned attributes {shard = array<i64: 1, 0>} {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c : tensor<?x?x8xf32>
}

// -----

// A norm takes along only what is on its own rows.
adj.kernel @transposed {
^bb0(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>, %v: tensor<8x8xf32>):
  %y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  // expected-error @below {{is the second operation that kernel @transposed computes; form one kernel per operation}}
  %z = linalg.generic {indexing_maps = [affine_map<(a, b) -> (b, a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]}
    ins(%v : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%p: f32, %o: f32):
      linalg.yield %p : f32
  } -> tensor<8x8xf32>
  adj.yield %y, %z : tensor<?x?x8xf32>, tensor<8x8xf32>
}

// -----

// expected-error @below {{@strides has 2 row strides for 2 inputs and 1 outputs}}
adj.kernel @strides attributes {row_strides = array<i64: 8, 8>} {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c : tensor<?x?x8xf32>
}

// -----

// expected-error @below {{yields one value twice (output #1)}}
adj.kernel @twice {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c, %c : tensor<?x?x8xf32>, tensor<?x?x8xf32>
}

// -----

adj.kernel @not_added {
^bb0(%t: tensor<?x?xi32>, %dy: tensor<?x?x40xf32>):
  // expected-error @below {{must be in a kernel that accumulates}}
  %d = adj.embedding_adjoint %t, %dy : (tensor<?x?xi32>, tensor<?x?x40xf32>) -> tensor<97x40xf32>
  adj.yield %d : tensor<97x40xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
adj.kernel @reduction {
^bb0(%x: tensor<8x8xf32>):
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @below {{has a reduction; an elementwise kernel has none}}
  %y = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<8x8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.addf %v, %o : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  adj.yield %y : tensor<8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#sum = affine_map<(i, j) -> (i + j)>
adj.kernel @skewed {
^bb0(%x: tensor<16xf32>):
  %e = tensor.empty() : tensor<8x8xf32>
  // expected-error @below {{has an indexing map that is not a projection: affine_map<(d0, d1) -> (d0 + d1)>}}
  %y = linalg.generic {indexing_maps = [#sum, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<16xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
  } -> tensor<8x8xf32>
  adj.yield %y : tensor<8x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#swap = affine_map<(i, j) -> (j, i)>
adj.kernel @in_place_transpose {
^bb0(%x: tensor<8x8xf32>):
  // expected-error @below {{overwrites operand #0 while it is read out of order; give `outs` a tensor.empty}}
  %y = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<8x8xf32>) outs(%x : tensor<8x8xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
  } -> tensor<8x8xf32>
  adj.yield %y : tensor<8x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#swap = affine_map<(i, j) -> (j, i)>
adj.kernel @out_of_order {
^bb0(%x: tensor<8x8xf32>):
  %e = tensor.empty() : tensor<8x8xf32>
  // expected-error @below {{must write its results in order (identity maps)}}
  %y = linalg.generic {indexing_maps = [#id, #swap], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
  } -> tensor<8x8xf32>
  adj.yield %y : tensor<8x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
adj.kernel @indices {
^bb0(%x: tensor<8x8xf32>):
  %e = tensor.empty() : tensor<8x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
    ^bb0(%v: f32, %o: f32):
      // expected-error @below {{is not a scalar operation that an elementwise kernel can compute}}
      %i = linalg.index 0 : index
      %c = arith.index_cast %i : index to i32
      %f = arith.sitofp %c : i32 to f32
      linalg.yield %f : f32
  } -> tensor<8x8xf32>
  adj.yield %y : tensor<8x8xf32>
}

// -----

adj.kernel @carry {
^bb0(%x: tensor<?x3x8xf32>):
  // expected-error @below {{computes a 'tensor<?x3x8xf32>'; an elementwise kernel computes token rows or a static tensor}}
  adj.yield %x : tensor<?x3x8xf32>
}

// -----

adj.kernel @copies {
^bb0(%x: tensor<8xf32>, %y: tensor<8xf32>):
  // expected-error @below {{of a kernel without an operation must have one operand to copy}}
  adj.yield %x, %y : tensor<8xf32>, tensor<8xf32>
}

// -----

adj.kernel @fill_with_a_size {
^bb0(%x: tensor<?x?x8xf32>):
  %zero = arith.constant 0 : index
  %size = tensor.dim %x, %zero : tensor<?x?x8xf32>
  %e = tensor.empty() : tensor<8xindex>
  // expected-error @below {{must fill with a constant}}
  %y = linalg.fill ins(%size : index) outs(%e : tensor<8xindex>) -> tensor<8xindex>
  adj.yield %y : tensor<8xindex>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
adj.kernel @two_encodings {
^bb0(%x: tensor<?x8xf32, #adj.blocks<"mini", 1>>, %a: tensor<?x8xf32, #adj.blocks<"mini", 1>>, %b: tensor<?x8xf32, #adj.blocks<"rows", 64>>):
  // expected-error @below {{must have results of one shape}}
  %y:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<?x8xf32, #adj.blocks<"mini", 1>>)
    outs(%a, %b : tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<?x8xf32, #adj.blocks<"rows", 64>>) {
    ^bb0(%v: f32, %o: f32, %p: f32):
      linalg.yield %v, %v : f32, f32
  } -> (tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<?x8xf32, #adj.blocks<"rows", 64>>)
  adj.yield %y#0, %y#1 : tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<?x8xf32, #adj.blocks<"rows", 64>>
}

// -----

adj.kernel @sum_to_one_per_sequence {
^bb0(%p: tensor<4x?x8xf32>):
  // expected-error @below {{must sum to a static tensor or to token rows, not to 'tensor<?x8xf32>'}}
  %s = adj.sum_partials %p : (tensor<4x?x8xf32>) -> tensor<?x8xf32>
  adj.yield %s : tensor<?x8xf32>
}

// -----

adj.kernel @sum_of_rows {
^bb0(%p: tensor<?x?x8xf32>):
  // expected-error @below {{takes partial sums with extra leading dimensions, not 'tensor<?x?x8xf32>'}}
  %s = adj.sum_partials %p : (tensor<?x?x8xf32>) -> tensor<8xf32>
  adj.yield %s : tensor<8xf32>
}

// -----

// expected-error @below {{yields (output #1) something other than a result of 'ssm.residual'}}
adj.kernel @input_passed_on {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c, %a : tensor<?x?x8xf32>, tensor<?x?x8xf32>
}

// -----

// expected-error @below {{@number yields a 'f32'; outputs are tensors}}
adj.kernel @number {
^bb0(%a: tensor<?x?x8xf32>, %b: tensor<?x?x8xf32>):
  %f = arith.constant 1.0 : f32
  %c = ssm.residual %a, %b : tensor<?x?x8xf32>
  adj.yield %c, %f : tensor<?x?x8xf32>, f32
}

// -----

// expected-error @below {{accumulates and must have one output, not 2}}
adj.kernel @two_sums accumulate {
^bb0(%x: tensor<8xf32>):
  %e = tensor.empty() : tensor<8xf32>
  %y:2 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x : tensor<8xf32>) outs(%e, %e : tensor<8xf32>, tensor<8xf32>) {
    ^bb0(%v: f32, %o: f32, %p: f32):
      linalg.yield %v, %v : f32, f32
  } -> (tensor<8xf32>, tensor<8xf32>)
  adj.yield %y#0, %y#1 : tensor<8xf32>, tensor<8xf32>
}

// -----

adj.kernel @constant_input {
^bb0(%x: tensor<8xf32>):
  %ones = arith.constant dense<1.0> : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @below {{takes a tensor that is not an argument of kernel @constant_input}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x, %ones : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %s = arith.addf %v, %w : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  adj.yield %y : tensor<8xf32>
}

// -----

// expected-error @below {{@fill_with_an_input takes a 'f32'; inputs are tensors}}
adj.kernel @fill_with_an_input {
^bb0(%value: f32):
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.fill ins(%value : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  adj.yield %y : tensor<8xf32>
}

// -----

#id = affine_map<(i) -> (i)>
adj.kernel @memory {
^bb0(%x: memref<8xf32>):
  // expected-error @below {{must compute tensors}}
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : memref<8xf32>) {
    ^bb0(%o: f32):
      %y = arith.addf %o, %o : f32
      linalg.yield %y : f32
  }
  adj.yield
}

// -----

#id = affine_map<(i) -> (i)>
adj.kernel @unwritten {
^bb0(%x: tensor<8xf32>):
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @below {{reads operand #1, which is not a tensor argument of the kernel}}
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%v: f32, %o: f32):
      %s = arith.addf %v, %o : f32
      linalg.yield %s : f32
  } -> tensor<8xf32>
  adj.yield %y : tensor<8xf32>
}

// -----

adj.kernel @input_alone {
^bb0(%x: tensor<?x?x40xf32>, %w: tensor<40x1x4xf32>, %dy: tensor<?x?x40xf32>):
  // expected-error @below {{must yield the cotangents of its input and of its weight}}
  %dx, %dw = adj.conv1d_adjoint %x, %w, %dy {resultSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<?x?x40xf32>, tensor<40x1x4xf32>, tensor<?x?x40xf32>) -> (tensor<?x?x40xf32>, tensor<?x40x1x4xf32>)
  adj.yield %dx : tensor<?x?x40xf32>
}

// -----

#rows = affine_map<(b, t, c) -> (b, t, c)>
adj.kernel @in_bf16 {
^bb0(%a: tensor<?x?x8xbf16>):
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %batch = tensor.dim %a, %zero : tensor<?x?x8xbf16>
  %tokens = tensor.dim %a, %one : tensor<?x?x8xbf16>
  %e = tensor.empty(%batch, %tokens) : tensor<?x?x8xbf16>
  %c = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%a : tensor<?x?x8xbf16>) outs(%e : tensor<?x?x8xbf16>) {
    ^bb0(%v: bf16, %o: bf16):
      // expected-error @below {{computes in bf16; extend its operands to f32, and round its result}}
      %s = arith.addf %v, %v : bf16
      linalg.yield %s : bf16
  } -> tensor<?x?x8xbf16>
  adj.yield %c : tensor<?x?x8xbf16>
}
