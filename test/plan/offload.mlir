// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-choose-policies="policy=offload context=64" --adj-offload %s | FileCheck %s
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-choose-policies="policy=offload context=64" --adj-offload --adj-form-kernels --adj-plan-memory %s \
// RUN:   | FileCheck %s --check-prefix=PLACED
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-offload="values={up output}" %s | FileCheck %s --check-prefix=ONE
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute="values={up output}" --adj-offload="values={layer input}" %s | FileCheck %s --check-prefix=MIXED
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-offload=values=none %s | FileCheck %s --check-prefix=NONE
// RUN: not adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-offload=values=nothing %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: the tape has no value 'nothing' that can be kept in host memory; it has 'up output' 'layer input'
// NONE-NOT: adj.offload

// CHECK: tape = {{\[}}["up output", "offload", 12288], ["layer input", "offload", 6144]]
// CHECK-LABEL: adj.program @gradient(
// CHECK:         %[[FORWARD:.*]]:3 = ssm.repeat 3 iter(%[[X:.*]] = {{.*}}) stacks(
// CHECK:           %{{.*}}, %[[X_HOST:.*]] = adj.offload %[[X]] : tensor<?x?x8xf32>
// CHECK:           %[[U:.*]] = ssm.linear %[[X]]
// CHECK-NEXT:      %{{.*}}, %[[U_HOST:.*]] = adj.offload %[[U]] : tensor<?x?x16xf32>
// CHECK:           ssm.yield %{{.*}}, %[[U_HOST]], %[[X_HOST]]
// CHECK:         ssm.repeat 3 {{.*}} slices(%[[U_SLICE:.*]] = %[[FORWARD]]#1 : tensor<3x?x?x16xf32>, %[[X_SLICE:.*]] = %[[FORWARD]]#2
// CHECK:           %[[X_BACK:.*]] = adj.prefetch %[[X_SLICE]] : tensor<?x?x8xf32>
// CHECK:           %[[U_BACK:.*]] = adj.prefetch %[[U_SLICE]] : tensor<?x?x16xf32>
// CHECK:           adj.matmul %{{.*}}, %[[U_BACK]] {transpose_a}
// CHECK:           adj.matmul %{{.*}}, %[[X_BACK]] {transpose_a}

// A product writes straight into its ring; the layer's input, which the layer overwrites, is copied into its own.
// PLACED-LABEL: adj.program @gradient(
// PLACED-DAG:     %[[UP_RING:.*]] = adj.buffer "ring" arena {instances = 2 : i64, {{.*}} size = 4096 : i64, {{.*}} : memref<?x?x16xf32>
// PLACED-DAG:     %[[X_RING:.*]] = adj.buffer "ring" arena {instances = 2 : i64, {{.*}} size = 2048 : i64, {{.*}} : memref<?x?x8xf32>
// PLACED-DAG:     %[[UP_HOST:.*]] = adj.host_buffer "offloaded" {{{.*}}layers = 3 : i64, {{.*}}} : memref<?x?x16xf32>
// PLACED-DAG:     %[[X_HOST:.*]] = adj.host_buffer "offloaded" {{{.*}}layers = 3 : i64, {{.*}}} : memref<?x?x8xf32>
// PLACED:         ssm.repeat 3
// The values of two layers before have gone; those of the layer before, two transfers, may be on their way.
// PLACED-NEXT:      adj.await to_host behind 2
// PLACED-NEXT:      adj.copy %{{.*}}, %[[X_RING]]
// PLACED-NEXT:      adj.transfer to_host %[[X_RING]], %[[X_HOST]] : memref<?x?x8xf32>
// PLACED-NEXT:      adj.gemm %{{.*}}, %{{.*}} outs %[[UP_RING]]
// PLACED-NEXT:      adj.transfer to_host %[[UP_RING]], %[[UP_HOST]] : memref<?x?x16xf32>
// PLACED:         adj.await to_host behind 0
// PLACED-NEXT:    ssm.repeat 3 {{.*}} reverse
// PLACED-NEXT:      adj.transfer to_device %[[X_HOST]], %[[X_RING]] shift -1 : memref<?x?x8xf32>
// PLACED-NEXT:      adj.transfer to_device %[[UP_HOST]], %[[UP_RING]] shift -1 : memref<?x?x16xf32>
// PLACED-NEXT:      adj.await to_device behind 2

// ONE-LABEL: adj.program @gradient(
// ONE:         adj.offload %{{.*}} : tensor<?x?x16xf32>
// ONE:         adj.prefetch %{{.*}} : tensor<?x?x16xf32>
// ONE-NOT:     adj.prefetch

// What is made again is made from what comes back.
// MIXED-LABEL: adj.program @gradient(
// MIXED:         ssm.repeat 3 {{.*}} slices(%[[SLICE:.*]] = %{{.*}} : tensor<3x?x?x8xf32>) reverse
// MIXED:           %[[X:.*]] = adj.prefetch %[[SLICE]]
// MIXED:           %[[U:.*]] = ssm.linear %[[X]]
// MIXED:           adj.matmul %{{.*}}, %[[U]] {transpose_a}

ssm.model @layers(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x0 = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %x = ssm.repeat 3 iter(%r = %x0 : tensor<?x?x8xf32>) {
    %wu = ssm.parameter "layers.{layer}.up.weight" <normal, 0.0, 0.1> : tensor<16x8xf32>
    %u = ssm.linear %r, %wu : (tensor<?x?x8xf32>, tensor<16x8xf32>) -> tensor<?x?x16xf32>
    %wd = ssm.parameter "layers.{layer}.down.weight" <normal, 0.0, 0.1> : tensor<8x16xf32>
    %d = ssm.linear %u, %wd : (tensor<?x?x16xf32>, tensor<8x16xf32>) -> tensor<?x?x8xf32>
    %next = ssm.residual %r, %d : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %x, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
