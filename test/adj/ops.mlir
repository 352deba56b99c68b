// Every operation of the dialect, in its custom syntax, survives a round trip; so does the generic form.

// RUN: adj-opt %s | adj-opt | FileCheck %s
// RUN: adj-opt --mlir-print-op-generic %s | adj-opt | FileCheck %s

// CHECK-LABEL: adj.program @gradient(%{{.*}}: tensor<?x?xi32>, %{{.*}}: tensor<?x?xi32>, %{{.*}}: tensor<?x?xi8>, %{{.*}}: tensor<f32>) {
adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <zeros> : tensor<10x8xf32>
  %w = ssm.parameter "w" <ones> : tensor<8xf32>
  %taps = ssm.parameter "taps" <zeros> : tensor<8x1x4xf32>
  // CHECK: %[[TAIL:.*]] = adj.carried "conv0/tail" : tensor<?x3x8xf32>
  %tail = adj.carried "conv0/tail" : tensor<?x3x8xf32>
  // CHECK: %[[DTAIL:.*]] = adj.carried cotangent "conv0/tail" : tensor<?x3x8xf32>
  %dtail = adj.carried cotangent "conv0/tail" : tensor<?x3x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: adj.lm_loss_adjoint %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (
  %g, %dtable = adj.lm_loss_adjoint %x, %table, %targets, %scale
     : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?x8xf32>, tensor<10x8xf32>)
  // CHECK: adj.rms_norm_adjoint %{{.*}}, %{{.*}}, %{{.*}} eps 1.000000e-05 :
  %dx, %dw = adj.rms_norm_adjoint %x, %w, %g eps 1.0e-5
     : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8xf32, #adj.blocks<"rows", 64>>)
  // CHECK: adj.conv1d_adjoint %{{.*}}, %{{.*}}, %{{.*}} tail %[[TAIL]] tail_cotangent %[[DTAIL]] resets %{{.*}} {
  // CHECK-SAME: carry_name = "conv0"
  %du, %dtaps, %dtail_next = adj.conv1d_adjoint %x, %taps, %dx tail %tail tail_cotangent %dtail resets %resets
      {carry_name = "conv0", resultSegmentSizes = array<i32: 1, 1, 0, 1>}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x?x8xf32>, tensor<?x3x8xf32>, tensor<?x3x8xf32>, tensor<?x?xi8>)
       -> (tensor<?x?x8xf32>, tensor<?x8x1x4xf32>, tensor<?x3x8xf32>)
  // CHECK: adj.hand_over cotangent "conv0/tail", %{{.*}} : tensor<?x3x8xf32>
  adj.hand_over cotangent "conv0/tail", %dtail_next : tensor<?x3x8xf32>
  // CHECK: adj.hand_over "conv0/tail", %[[TAIL]] : tensor<?x3x8xf32>
  adj.hand_over "conv0/tail", %tail : tensor<?x3x8xf32>
  // CHECK: adj.sum_partials %{{.*}} : (tensor<?x8xf32, #adj.blocks<"rows", 64>>) -> tensor<8xf32>
  %sum = adj.sum_partials %dw : (tensor<?x8xf32, #adj.blocks<"rows", 64>>) -> tensor<8xf32>
  // CHECK: adj.accumulate "w", %{{.*}} : tensor<8xf32>
  adj.accumulate "w", %sum : tensor<8xf32>
  // CHECK: adj.column_sum %{{.*}} : (tensor<?x?x8xf32>) -> tensor<?x8xf32, #adj.blocks<"rows", 64>>
  %columns = adj.column_sum %x : (tensor<?x?x8xf32>) -> tensor<?x8xf32, #adj.blocks<"rows", 64>>
  // CHECK: adj.matmul %{{.*}}, %{{.*}} {transpose_a} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<8x8xf32>
  %dp = adj.matmul %x, %g {transpose_a} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<8x8xf32>
  // CHECK: adj.matmul %{{.*}}, %{{.*}} : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %y = adj.matmul %x, %dp : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: adj.embedding_adjoint %{{.*}}, %{{.*}} : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<10x8xf32>
  %de = adj.embedding_adjoint %tokens, %y : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<10x8xf32>
  // CHECK: %[[L:.*]] = adj.mini_sequences 256 (%[[MX:.*]] = %{{.*}} : tensor<?x?x8xf32>, %[[MT:.*]] = %{{.*}} : tensor<?x?xi32>) -> (tensor<?x?xf32>) {
  %losses = adj.mini_sequences 256 (%mx = %x : tensor<?x?x8xf32>, %mt = %targets : tensor<?x?xi32>) -> (tensor<?x?xf32>) {
    // CHECK: adj.matmul %[[MX]], %{{.*}} {transpose_b} : (tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<10x8xf32>) -> tensor<?x10xf32, #adj.blocks<"mini", 1>>
    %logits = adj.matmul %mx, %table {transpose_b}
       : (tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<10x8xf32>) -> tensor<?x10xf32, #adj.blocks<"mini", 1>>
    // CHECK: adj.cross_entropy %{{.*}}, %[[MT]], %{{.*}} :
    %loss, %dlogits = adj.cross_entropy %logits, %mt, %scale
       : (tensor<?x10xf32, #adj.blocks<"mini", 1>>, tensor<?xi32, #adj.blocks<"mini", 1>>, tensor<f32>)
         -> (tensor<?xf32, #adj.blocks<"mini", 1>>, tensor<?x10xf32, #adj.blocks<"mini", 1>>)
    // CHECK: adj.write_rows 0, %{{.*}} : tensor<?xf32, #adj.blocks<"mini", 1>>
    adj.write_rows 0, %loss : tensor<?xf32, #adj.blocks<"mini", 1>>
  }
  // A length not chosen yet.
  // CHECK: adj.mini_sequences (%{{.*}} = %{{.*}} : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
  %copied = adj.mini_sequences (%rows = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    adj.write_rows 0, %rows : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
  // CHECK: adj.dispatch @double(%{{.*}}) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %d = adj.dispatch @double(%x) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: adj.gemm %{{.*}}, %{{.*}} into "p" {transpose_a} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> ()
  adj.gemm %x, %d into "p" {transpose_a} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> ()
  // CHECK: %[[BUFFER:.*]] = adj.buffer "x" arena {{.*}} : memref<?x?x8xf32>
  %buffer = adj.buffer "x" arena {offset = 0 : i64, size = 64 : i64, layer_stride = 0 : i64, row_bytes = 0 : i64} : memref<?x?x8xf32>
  // CHECK: adj.copy %[[BUFFER]], %[[BUFFER]] : memref<?x?x8xf32>, memref<?x?x8xf32>
  adj.copy %buffer, %buffer : memref<?x?x8xf32>, memref<?x?x8xf32>
}

// CHECK-LABEL: adj.kernel @double
adj.kernel @double attributes {row_strides = array<i64: 8, 8>} {
^bb0(%x: tensor<?x?x8xf32>):
  %y = ssm.residual %x, %x : tensor<?x?x8xf32>
  // CHECK: adj.yield %{{.*}} : tensor<?x?x8xf32>
  adj.yield %y : tensor<?x?x8xf32>
}

// The adjoint of h = a h + x with y = h: a is a (d) vector without batch, so its cotangent is a partial sum per sequence.
// CHECK-LABEL: func.func @scan_adjoint
func.func @scan_adjoint(%x: tensor<?x?x4xf32>, %a: tensor<4xf32>, %g: tensor<?x?x4xf32>,
                        %checkpoints: tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>, %c: tensor<?x4xf32>, %resets: tensor<?x?xi8>) {
  // CHECK: adj.scan_adjoint ins(%{{.*}}, %{{.*}} : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%{{.*}} : tensor<?x?x4xf32>)
  // CHECK-SAME: state_cotangent(%{{.*}} : tensor<?x4xf32>) resets(%{{.*}} : tensor<?x?xi8>)
  // CHECK-SAME: -> tensor<?x?x4xf32>, tensor<?x4xf32> next tensor<?x4xf32> step {
  %dx, %da, %next = adj.scan_adjoint ins(%x, %a : tensor<?x?x4xf32>, tensor<4xf32>) cotangents(%g : tensor<?x?x4xf32>)
      checkpoints(%checkpoints : tensor<?x?x4xf32, #adj.blocks<"tokens", 8>>) state_cotangent(%c : tensor<?x4xf32>)
      resets(%resets : tensor<?x?xi8>)
      {dims = ["b", "t", "d"], state = array<i64: 2>, state_type = f32, checkpoint_every = 8 : i64, lane = 2 : i64, lane_block = 16 : i64,
       indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>],
       differentiated = array<i64: 0, 1>}
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

// CHECK-LABEL: func.func @offload
func.func @offload(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  // CHECK: %[[FORWARD:.*]]:2 = ssm.repeat 3
  %y:2 = ssm.repeat 3 iter(%r = %x : tensor<?x?x4xf32>) stacks(tensor<3x?x?x4xf32>) {
    // CHECK: %{{.*}}, %{{.*}} = adj.offload %{{.*}} : tensor<?x?x4xf32>
    %ring, %host = adj.offload %r : tensor<?x?x4xf32>
    ssm.yield %r, %host : tensor<?x?x4xf32>, tensor<?x?x4xf32>
  }
  %z = ssm.repeat 3 iter(%r = %y#0 : tensor<?x?x4xf32>) slices(%s = %y#1 : tensor<3x?x?x4xf32>) reverse {
    // CHECK: adj.prefetch %{{.*}} : tensor<?x?x4xf32>
    %v = adj.prefetch %s : tensor<?x?x4xf32>
    %next = ssm.residual %r, %v : tensor<?x?x4xf32>
    ssm.yield %next : tensor<?x?x4xf32>
  }
  return %z : tensor<?x?x4xf32>
}

// CHECK-LABEL: func.func @transfers
func.func @transfers() {
  %ring = adj.buffer "ring" arena {offset = 0 : i64, size = 64 : i64, layer_stride = 64 : i64, row_bytes = 0 : i64} : memref<?x?x4xf32>
  // CHECK: adj.host_buffer "offloaded" {{{.*}}} : memref<?x?x4xf32>
  %host = adj.host_buffer "offloaded" {offset = 0 : i64, size = 64 : i64, layer_stride = 64 : i64, layers = 3 : i64} : memref<?x?x4xf32>
  // CHECK: adj.transfer to_host %{{.*}}, %{{.*}} : memref<?x?x4xf32>
  adj.transfer to_host %ring, %host : memref<?x?x4xf32>
  // CHECK: adj.transfer to_device %{{.*}}, %{{.*}} shift -1 : memref<?x?x4xf32>
  adj.transfer to_device %host, %ring shift -1 : memref<?x?x4xf32>
  // CHECK: adj.await to_host behind 3
  adj.await to_host behind 3
  // CHECK: adj.await to_device behind 0
  adj.await to_device behind 0
  return
}

// CHECK-LABEL: adj.program @prepare
adj.program @prepare(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK: %[[W:.*]] = ssm.parameter "w"
  %w = ssm.parameter "w" <ones> : tensor<4x8xf32>
  // CHECK: %[[COPY:.*]] = adj.working_copy %[[W]] : tensor<4x8xf32> -> tensor<4x8xbf16>
  %copy = adj.working_copy %w : tensor<4x8xf32> -> tensor<4x8xbf16>
  // CHECK: adj.refresh "w", %[[COPY]] : tensor<4x8xbf16>
  adj.refresh "w", %copy : tensor<4x8xbf16>
}
