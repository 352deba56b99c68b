// RUN: adj-opt %s --adj-choose-policies="shard=8 batch=3 context=64 mini-sequence=5" | FileCheck %s
// RUN: adj-opt %s --adj-choose-policies="shard=8 batch=3 context=64 mini-sequence=-1" | FileCheck %s --check-prefix=OFF
// RUN: adj-opt %s --adj-choose-policies="shard=512 context=64 mini-sequence=10000" | FileCheck %s --check-prefix=CLAMP
// RUN: adj-opt %s --adj-choose-policies="context=1048576" | FileCheck %s --check-prefix=AUTO
// RUN: adj-opt %s --adj-choose-policies="shard=64 context=1048576 budget=30000000 budget-text=30MB" | FileCheck %s --check-prefix=TIGHT
// RUN: adj-opt %s --adj-choose-policies="shard=64 context=640 boundaries=binomial:3 adamw" | FileCheck %s --check-prefix=BINOMIAL
// RUN: adj-opt %s --adj-choose-policies="context=1048576 gpu budget=80000000000 budget-text=80GB machine=sm_100" | FileCheck %s --check-prefix=GPU
// RUN: not adj-opt %s --adj-choose-policies="machine=sm_70" 2>&1 | FileCheck %s --check-prefix=MACHINE
// RUN: not adj-opt %s --adj-choose-policies="keep=x" 2>&1 | FileCheck %s --check-prefix=KEEP
// KEEP: error: keep: 'x' is not VALUE=store, VALUE=recompute or VALUE=offload
// RUN: not adj-opt %s --adj-choose-policies="keep=x=store" 2>&1 | FileCheck %s --check-prefix=VALUE
// VALUE: error: --keep="x=store": no such value{{$}}
// MACHINE: error: machine 'sm_70' is not known; give cpu, sm_80, sm_90, sm_90a or sm_100

// CHECK: module attributes {adj.plan = {batch = 3 : i64, boundaries = "device", budget = 8000000000 : i64, context = 64 : i64, dtype = "f32", mini_sequence = 5 : i64, optimizer = "none", policy = "store", shard = 8 : i64, tape = [], target = "cpu"}}
// OFF: mini_sequence = 24 : i64
// A shard is never longer than the context, a mini-sequence never longer than a shard.
// CLAMP: mini_sequence = 64 : i64, optimizer = "none", policy = "store", shard = 64 : i64
// Nothing is gained by shards that leave the caches.
// AUTO: boundaries = "device", {{.*}} shard = {{1024|1536|2048|3072|4096}} : i64
// On a GPU, thousands of rows fill the processors.
// GPU: shard = {{[0-9]+[0-9][0-9][0-9][0-9]}} : i64, tape = [], target = "gpu"
// TIGHT: boundaries = "binomial:{{[0-9]+}}"
// BINOMIAL: boundaries = "binomial:3", {{.*}} optimizer = "adamw"

// CHECK-LABEL: adj.program @gradient
adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // CHECK-DAG: %[[TABLE:.*]] = ssm.parameter "table"
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  // CHECK-DAG: %[[BIAS:.*]] = ssm.parameter "bias"
  %bias = ssm.parameter "bias" <ones> : tensor<16xf32>
  // CHECK-DAG: %[[X:.*]] = ssm.embedding
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %s0 = adj.carried "s0/state" : tensor<?x100x16xf32>
  adj.hand_over "s0/state", %s0 : tensor<?x100x16xf32>

  // CHECK: %[[DX:.*]] = adj.mini_sequences 5 (%[[ROWS:.*]] = %[[X]] : tensor<?x?x8xf32>, %[[TARGETS:.*]] = %{{.*}} : tensor<?x?xi32>) -> (tensor<?x?x8xf32>) {
  // CHECK:   %[[PRODUCT:.*]] = adj.matmul %[[ROWS]], %[[TABLE]] {transpose_b}
  // CHECK:   %[[LOGITS:.*]] = linalg.generic {{.*}} ins(%[[PRODUCT]], %[[BIAS]]
  // CHECK:   %{{.*}}, %[[DLOGITS:.*]] = adj.cross_entropy %[[LOGITS]], %[[TARGETS]], %{{.*}}
  // CHECK:   %[[DTABLE:.*]] = adj.matmul %[[DLOGITS]], %[[ROWS]] {transpose_a}
  // CHECK:   adj.accumulate "table", %[[DTABLE]]
  // CHECK:   %[[PARTIALS:.*]] = adj.column_sum %[[DLOGITS]]
  // CHECK:   %[[DBIAS:.*]] = adj.sum_partials %[[PARTIALS]]
  // CHECK:   adj.accumulate "bias", %[[DBIAS]]
  // CHECK:   %[[DROWS:.*]] = adj.matmul %[[DLOGITS]], %[[TABLE]]
  // CHECK:   adj.write_rows 0, %[[DROWS]]
  %dx, %dw, %db = adj.lm_loss_adjoint %x, %table, %targets, %scale bias %bias
    : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>, tensor<f32>, tensor<16xf32>) -> (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<16xf32>)
  adj.accumulate "table", %dw : tensor<16x8xf32>
  adj.accumulate "bias", %db : tensor<16xf32>
  // CHECK: adj.embedding_adjoint %{{.*}}, %[[DX]]
  %de = adj.embedding_adjoint %tokens, %dx : (tensor<?x?xi32>, tensor<?x?x8xf32>) -> tensor<16x8xf32>
  adj.accumulate "table", %de : tensor<16x8xf32>
}

// The first sweep: what boundaries that are not kept cost.
adj.program @forward(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %s0 = adj.carried "s0/state" : tensor<?x100x16xf32>
  adj.hand_over "s0/state", %s0 : tensor<?x100x16xf32>
}
