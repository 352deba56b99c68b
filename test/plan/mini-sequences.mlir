// RUN: adj-opt %s --adj-choose-policies="shard=64 batch=2 context=64 mini-sequence=5" | FileCheck %s --check-prefix=CHOSEN
// RUN: adj-opt %s --adj-choose-policies="shard=64 batch=2 context=64 mini-sequence=-1" | FileCheck %s --check-prefix=OFF
// RUN: adj-opt %s --adj-choose-policies="shard=65536 batch=2 context=65536" | FileCheck %s --check-prefix=AUTO
// RUN: adj-opt %s --adj-choose-policies="shard=64 batch=2 context=64 mini-sequence=5" --adj-form-kernels --adj-plan-memory | FileCheck %s

// Every loop gets the one length that was chosen; by default as many rows as keep the widest tensor of a mini-sequence near 128 MiB.
// CHOSEN: mini_sequence = 5 : i64
// CHOSEN: adj.mini_sequences 5 (
// OFF: mini_sequence = 128 : i64
// OFF: adj.mini_sequences 128 (
// AUTO: mini_sequence = 65536 : i64
// AUTO: adj.mini_sequences 65536 (

// A loop in a stack of layers: what it makes has the size of one mini-sequence, its operand and result move with the rows, and what the adjoint keeps of the
// result is written straight into the tape.
// CHECK-LABEL: adj.program @gradient
adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[HIDDEN:.*]] = adj.buffer "gemm" arena {layer_stride = 0 : i64, {{.*}}row_bytes = 0 : i64, size = 10240 : i64, {{.*}} : memref<?x512xf32>
  // CHECK-DAG: %[[ROWS:.*]] = adj.buffer "rms_norm_0" arena {layer_stride = 0 : i64, {{.*}}row_bytes = 32 : i64, size = 4096 : i64, {{.*}} : memref<?x8xf32>
  // CHECK-DAG: %[[NORM:.*]] = adj.buffer "rms_norm_0" arena {layer_stride = 0 : i64, {{.*}}row_bytes = 0 : i64, size = 4096 : i64, {{.*}} : memref<?x?x8xf32>
  // CHECK-DAG: %[[OUT_ROWS:.*]] = adj.buffer "mini_sequences" arena {layer_stride = 4096 : i64, layers = 3 : i64, {{.*}}row_bytes = 32 : i64, {{.*}} : memref<?x8xf32>
  // CHECK-DAG: %[[OUT:.*]] = adj.buffer "mini_sequences" arena {layer_stride = 4096 : i64, layers = 3 : i64, {{.*}}row_bytes = 0 : i64, {{.*}} : memref<?x?x8xf32>
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.repeat 3
  %y:2 = ssm.repeat 3 iter(%r = %x : tensor<?x?x8xf32>) stacks(tensor<3x?x?x8xf32>) {
    %n = ssm.parameter "layers.{layer}.n" <ones> : tensor<8xf32>
    %up = ssm.parameter "layers.{layer}.up" <ones> : tensor<512x8xf32>
    %down = ssm.parameter "layers.{layer}.down" <ones> : tensor<8x512xf32>
    // CHECK-NEXT: adj.dispatch @rms_norm_0(%{{.*}}) outs(%[[NORM]])
    %h = ssm.rms_norm %r, %n eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    // CHECK-NEXT: adj.mini_sequences 5 () {
    %o = adj.mini_sequences (%rows = %h : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
      // CHECK-NEXT: adj.gemm %[[ROWS]], %{{.*}} outs %[[HIDDEN]] {transpose_b}
      %u = ssm.linear %rows, %up : (tensor<?x8xf32, #adj.blocks<"mini", 1>>, tensor<512x8xf32>) -> tensor<?x512xf32, #adj.blocks<"mini", 1>>
      // CHECK-NEXT: adj.gemm %[[HIDDEN]], %{{.*}} outs %[[OUT_ROWS]] {transpose_b}
      %d = ssm.linear %u, %down : (tensor<?x512xf32, #adj.blocks<"mini", 1>>, tensor<8x512xf32>) -> tensor<?x8xf32, #adj.blocks<"mini", 1>>
      // CHECK-NEXT: }
      adj.write_rows 0, %d : tensor<?x8xf32, #adj.blocks<"mini", 1>>
    }
    // CHECK-NEXT: adj.dispatch @generic_0(%{{.*}}, %[[OUT]])
    %next = ssm.residual %r, %o : tensor<?x?x8xf32>
    // CHECK-NEXT: ssm.yield
    ssm.yield %next, %o : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  %g = ssm.repeat 3 iter(%c = %y#0 : tensor<?x?x8xf32>) slices(%kept = %y#1 : tensor<3x?x?x8xf32>) reverse {
    %before = ssm.residual %c, %kept : tensor<?x?x8xf32>
    ssm.yield %before : tensor<?x?x8xf32>
  }
  %de = adj.embedding_adjoint %tokens, %g : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<16x8xf32>
  adj.accumulate "table", %de : tensor<16x8xf32>
}
