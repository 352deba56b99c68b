// RUN: adj-opt %s --adj-form-kernels --adj-plan-memory --split-input-file | FileCheck %s

// A stack and its adjoint: the carried value has one place that the residual updates; what the adjoint needs is written straight into the tape
// (a stride per layer), only the carried value itself is copied there.
module attributes {adj.plan = {batch = 2 : i64, boundaries = "device", budget = 8000000000 : i64, context = 64 : i64, mini_sequence = 16 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
// CHECK-LABEL: adj.program @stack
adj.program @stack(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[X:.*]] = adj.buffer "repeat" arena {layer_stride = 0 : i64, {{.*}} size = 512 : i64, {{.*}} : memref<?x?x8xf32>
  // CHECK-DAG: %[[N:.*]] = adj.buffer "layers.{layer}.n" parameters {layer_stride = 320 : i64, layers = 3 : i64, {{.*}}offset = 512 : i64
  // CHECK-DAG: %[[DW:.*]] = adj.buffer "layers.{layer}.w" gradients {layer_stride = 320 : i64, layers = 3 : i64, {{.*}}offset = 576 : i64
  // CHECK-DAG: %[[TAPE:.*]] = adj.buffer "rms_norm_0" arena {layer_stride = 512 : i64, layers = 3 : i64
  // CHECK-DAG: %[[KEPT:.*]] = adj.buffer "repeat" arena {layer_stride = 512 : i64, layers = 3 : i64
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  // CHECK: adj.dispatch @embedding_0({{.*}}) outs(%[[X]])
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // CHECK-NEXT: ssm.repeat 3
  %y:3 = ssm.repeat 3 iter(%r = %x : tensor<?x?x8xf32>) stacks(tensor<3x?x?x8xf32>, tensor<3x?x?x8xf32>) {
    %n = ssm.parameter "layers.{layer}.n" <ones> : tensor<8xf32>
    %w = ssm.parameter "layers.{layer}.w" <ones> : tensor<8x8xf32>
    // CHECK-NEXT: adj.copy %[[X]], %[[KEPT]]
    // CHECK-NEXT: adj.dispatch @rms_norm_0(%[[X]], %[[N]]) outs(%[[TAPE]])
    %h = ssm.rms_norm %r, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    // CHECK-NEXT: adj.gemm %[[TAPE]], %{{.*}} outs %[[V:.*]] {transpose_b}
    %v = ssm.linear %h, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
    // CHECK-NEXT: adj.dispatch @generic_0(%[[X]], %[[V]]) outs(%[[X]])
    %next = ssm.residual %r, %v : tensor<?x?x8xf32>
    // CHECK-NEXT: ssm.yield
    ssm.yield %next, %r, %h : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  // CHECK: ssm.repeat 3 iter() reverse
  %g0 = ssm.repeat 3 iter(%g = %y#0 : tensor<?x?x8xf32>) slices(%kept = %y#1 : tensor<3x?x?x8xf32>, %saved = %y#2 : tensor<3x?x?x8xf32>) reverse {
    // CHECK-NEXT: adj.gemm %[[X]], %[[TAPE]] outs %[[DW]] {accumulate, transpose_a}
    %dw = adj.matmul %g, %saved {transpose_a} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<8x8xf32>
    adj.accumulate "layers.{layer}.w", %dw : tensor<8x8xf32>
    // CHECK-NEXT: adj.dispatch @generic_0(%[[X]], %[[KEPT]]) outs(%[[X]])
    %before = ssm.residual %g, %kept : tensor<?x?x8xf32>
    ssm.yield %before : tensor<?x?x8xf32>
  }
  adj.accumulate "table", %table : tensor<16x8xf32>
  %de = adj.embedding_adjoint %tokens, %g0 : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<16x8xf32>
  adj.accumulate "table", %de : tensor<16x8xf32>
}
}

// -----

// A reshape is a view, of a part as well: its rows are as far apart as the whole's. What a part of a concat is another shape of is
// computed in its place.
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 8000000000 : i64, context = 64 : i64, mini_sequence = 8 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
// CHECK: adj.kernel @generic_0 attributes {row_strides = array<i64: 12, 12>}
// CHECK-LABEL: adj.program @reshapes
adj.program @reshapes(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[X:.*]] = adj.buffer "concat" arena {{{.*}} view = 16 : i64} : memref<?x?x8xf32, strided<[?, 12, 1]>>
  // CHECK-DAG: %[[H:.*]] = adj.buffer "concat" arena {{{.*}} view = 32 : i64} : memref<?x?x2x2xf32, strided<[?, 12, 2, 1]>>
  // CHECK-DAG: %[[P:.*]] = adj.buffer "concat" arena {{{.*}} view = 0 : i64} : memref<?x?x2x2xf32, strided<[?, 12, 2, 1]>>
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %wide = ssm.parameter "wide" <ones> : tensor<12x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
  %h = ssm.reshape %b : tensor<?x?x4xf32> -> tensor<?x?x2x2xf32>
  // CHECK: adj.dispatch @embedding_0(%{{.*}}, %{{.*}}) outs(%[[X]])
  // CHECK: adj.dispatch @generic_0(%[[H]]) outs(%[[P]])
  %g = ssm.residual %h, %h : tensor<?x?x2x2xf32>
  %p = ssm.reshape %g : tensor<?x?x2x2xf32> -> tensor<?x?x4xf32>
  // CHECK-NOT: adj.copy
  %c = ssm.concat %p, %x : tensor<?x?x4xf32>, tensor<?x?x8xf32> -> tensor<?x?x12xf32>
  %dw = adj.matmul %c, %x {transpose_a} : (tensor<?x?x12xf32>, tensor<?x?x8xf32>) -> tensor<12x8xf32>
  adj.accumulate "wide", %dw : tensor<12x8xf32>
}
}

// -----

// Parts of a split are views; parts of a concat are computed in their place, except for one that lies elsewhere.
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 8000000000 : i64, context = 64 : i64, mini_sequence = 8 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
// CHECK: adj.kernel @rms_norm_0 attributes {row_strides = array<i64: 8, 4, 12>}
// CHECK-LABEL: adj.program @views
adj.program @views(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[A:.*]] = adj.buffer "embedding_0" arena {{{.*}} view = 0 : i64} : memref<?x?x4xf32, strided<[?, 8, 1]>>
  // CHECK-DAG: %[[B:.*]] = adj.buffer "embedding_0" arena {{{.*}} view = 16 : i64} : memref<?x?x4xf32, strided<[?, 8, 1]>>
  // CHECK-DAG: %[[C0:.*]] = adj.buffer "concat" arena {{{.*}} view = 0 : i64} : memref<?x?x4xf32, strided<[?, 12, 1]>>
  // CHECK-DAG: %[[C1:.*]] = adj.buffer "concat" arena {{{.*}} view = 16 : i64} : memref<?x?x4xf32, strided<[?, 12, 1]>>
  // CHECK-DAG: %[[C2:.*]] = adj.buffer "concat" arena {{{.*}} view = 32 : i64} : memref<?x?x4xf32, strided<[?, 12, 1]>>
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %n = ssm.parameter "n" <ones> : tensor<4xf32>
  %wide = ssm.parameter "wide" <ones> : tensor<12x4xf32>
  %w = ssm.parameter "w" <ones> : tensor<4x4xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %a, %b = ssm.split %x : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
  // CHECK: adj.dispatch @rms_norm_0(%[[A]], %{{.*}}) outs(%[[C0]])
  %p = ssm.rms_norm %a, %n eps 1.0e-5 : (tensor<?x?x4xf32>, tensor<4xf32>) -> tensor<?x?x4xf32>
  // CHECK: adj.gemm %[[B]], %{{.*}} outs %[[C1]]
  %q = ssm.linear %b, %w : (tensor<?x?x4xf32>, tensor<4x4xf32>) -> tensor<?x?x4xf32>
  // CHECK: adj.copy %[[B]], %[[C2]]
  %c = ssm.concat %p, %q, %b : tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x12xf32>
  %dw = adj.matmul %c, %p {transpose_a} : (tensor<?x?x12xf32>, tensor<?x?x4xf32>) -> tensor<12x4xf32>
  adj.accumulate "wide", %dw : tensor<12x4xf32>
}
}

// -----

// Carries: what is computed here is written straight into the boundary, what was received is copied on.
module attributes {adj.plan = {batch = 2 : i64, boundaries = "device", budget = 8000000000 : i64, context = 64 : i64, mini_sequence = 8 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
// CHECK-LABEL: adj.program @carries
adj.program @carries(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[IN:.*]] = adj.buffer "c0/tail" carry_in {layer_stride = 0 : i64, {{.*}}offset = 0 : i64, {{.*}}size = 128 : i64
  // CHECK-DAG: %[[OUT:.*]] = adj.buffer "c0/tail" carry_out {{{.*}}offset = 0 : i64
  // CHECK-DAG: %[[OTHER:.*]] = adj.buffer "c1/tail" carry_in {{{.*}}offset = 128 : i64
  // CHECK-DAG: %[[OTHER_OUT:.*]] = adj.buffer "c1/tail" carry_out {{{.*}}offset = 128 : i64
  // CHECK-DAG: %[[COTANGENT:.*]] = adj.buffer "c0/tail" cotangent_in {{{.*}}offset = 0 : i64
  // CHECK-DAG: %[[COTANGENT_OUT:.*]] = adj.buffer "c0/tail" cotangent_out {{{.*}}offset = 0 : i64
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %w = ssm.parameter "taps" <ones> : tensor<8x1x3xf32>
  %t0 = adj.carried "c0/tail" : tensor<?x2x8xf32>
  // CHECK: adj.dispatch @conv1d_0(%{{.*}}, %{{.*}}, %[[IN]], %{{.*}}) outs(%[[OUT]])
  %y0, %n0 = ssm.conv1d %x, %w tail %t0 resets %resets
    : (tensor<?x?x8xf32>, tensor<8x1x3xf32>, tensor<?x2x8xf32>, tensor<?x?xi8>) -> (tensor<?x?x8xf32>, tensor<?x2x8xf32>)
  adj.hand_over "c0/tail", %n0 : tensor<?x2x8xf32>
  %t1 = adj.carried "c1/tail" : tensor<?x2x8xf32>
  // CHECK: adj.copy %[[OTHER]], %[[OTHER_OUT]]
  adj.hand_over "c1/tail", %t1 : tensor<?x2x8xf32>
  %c = adj.carried cotangent "c0/tail" : tensor<?x2x8xf32>
  // CHECK: adj.copy %[[COTANGENT]], %[[COTANGENT_OUT]]
  adj.hand_over cotangent "c0/tail", %c : tensor<?x2x8xf32>
}
}

// -----

// The loss: cotangents take the logits' place, losses go to their staging array, rows move with the mini-sequence.
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 8000000000 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
// CHECK-LABEL: adj.program @loss
adj.program @loss(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[LOGITS:.*]] = adj.buffer "gemm" arena {{{.*}}row_bytes = 0 : i64, size = 256 : i64, {{.*}} : memref<?x16xf32>
  // CHECK-DAG: %[[LOSSES:.*]] = adj.buffer "losses" arena {{{.*}}row_bytes = 4 : i64, size = 32 : i64, {{.*}} : memref<?xf32>
  // CHECK-DAG: %[[TARGETS:.*]] = adj.buffer "targets" arena {{{.*}}row_bytes = 4 : i64, {{.*}} : memref<?xi32>
  // CHECK-DAG: %[[ROWS:.*]] = adj.buffer "embedding_0" arena {{{.*}}row_bytes = 32 : i64, {{.*}} : memref<?x8xf32>
  // CHECK-DAG: %[[DROWS:.*]] = adj.buffer "mini_sequences" arena {{{.*}}row_bytes = 32 : i64, {{.*}} : memref<?x8xf32>
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: adj.mini_sequences 4
  %dx = adj.mini_sequences 4 (%rows = %x : tensor<?x?x8xf32>, %t = %targets : tensor<?x?xi32>) -> (tensor<?x?x8xf32>) {
    // CHECK-NEXT: adj.gemm %[[ROWS]], %{{.*}} outs %[[LOGITS]] {transpose_b}
    %logits = adj.matmul %rows, %table {transpose_b}
      : (tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<16x8xf32>) -> tensor<?x16xf32, #adj.blocks<"mini", 1>>
    // CHECK-NEXT: adj.dispatch @cross_entropy_0(%[[LOGITS]], %[[TARGETS]], %{{.*}}) outs(%[[LOSSES]], %[[LOGITS]])
    %losses, %d = adj.cross_entropy %logits, %t, %scale
      : (tensor<?x16xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>) -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x16xf32, #adj.blocks<"mini", 1>>)
    // CHECK-NEXT: adj.gemm %[[LOGITS]], %{{.*}} outs %[[DROWS]]
    %drows = adj.matmul %d, %table : (tensor<?x16xf32, #adj.blocks<"mini", 1>>, tensor<16x8xf32>) -> tensor<?x8xf32, #adj.blocks<"mini", 1>>
    adj.write_rows 0, %drows : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  %de = adj.embedding_adjoint %tokens, %dx : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<16x8xf32>
  adj.accumulate "table", %de : tensor<16x8xf32>
}
}
