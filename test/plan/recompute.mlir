// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute=values=all %s | FileCheck %s
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute="values={norm output}" %s | FileCheck %s --check-prefix=ONE
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute=values=none %s | FileCheck %s --check-prefix=NONE
// RUN: adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-choose-policies="policy=recompute context=64" --adj-recompute %s | FileCheck %s --check-prefix=PLAN
// RUN: not adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute="values={layer input}" %s 2>&1 | FileCheck %s --check-prefix=INPUT
// RUN: not adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute=values=nothing %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not adj-opt --adj-derive-adjoint --adj-shard-tokens --adj-recompute %s 2>&1 | FileCheck %s --check-prefix=WITHOUT

// INPUT: error: the tape has no value 'layer input' that can be computed again; it has
// INPUT-DAG: 'conv1d0 output'
// INPUT-DAG: 'norm output'
// INPUT-DAG: 'up output'
// UNKNOWN: error: the tape has no value 'nothing' that can be computed again; it has
// WITHOUT: error: has no plan (attribute adj.plan); run adj-choose-policies first

// The layer's input is all that is kept; the reverse computes the rest from it, the convolution from the tail it was handed, and hands over nothing twice.
// CHECK-LABEL: adj.program @gradient(
// CHECK-SAME:    %{{.*}}: tensor<?x?xi32>, %{{.*}}: tensor<?x?xi32>, %[[RESETS:.*]]: tensor<?x?xi8>
// CHECK:         %[[FORWARD:.*]]:2 = ssm.repeat 3 iter({{.*}}) stacks(tensor<3x?x?x8xf32>) {
// CHECK:         ssm.repeat 3 iter(%[[G:.*]] = {{.*}}) slices(%[[X:.*]] = %[[FORWARD]]#1 : tensor<3x?x?x8xf32>) reverse {
// CHECK-DAG:       %[[TAIL:.*]] = adj.carried "conv1d0/tail"
// CHECK-DAG:       %[[N:.*]] = ssm.rms_norm %[[X]]
// CHECK:           %[[U:.*]] = ssm.linear %[[N]]
// CHECK:           %[[C:.*]], %{{.*}} = ssm.conv1d %[[U]], %{{.*}} tail %[[TAIL]] resets %[[RESETS]]
// CHECK-NOT:       hand_over "conv1d0
// CHECK:           adj.matmul %[[G]], %[[C]] {transpose_a}
// CHECK:           adj.conv1d_adjoint %[[U]]
// CHECK:           adj.hand_over cotangent "conv1d0/tail"

// Just before its first use: after the convolution's adjoint. What it is made from was kept already.
// ONE-LABEL: adj.program @gradient(
// ONE:         ssm.repeat 3 iter({{.*}}) stacks(tensor<3x?x?x16xf32>, tensor<3x?x?x16xf32>, tensor<3x?x?x8xf32>)
// ONE:         slices(%{{[^:]*}} : tensor<3x?x?x16xf32>, %[[U:[^ ]*]] = %{{[^:]*}} : tensor<3x?x?x16xf32>, %[[X:[^ ]*]] = %{{[^:]*}} : tensor<3x?x?x8xf32>) reverse
// ONE:           adj.conv1d_adjoint %[[U]]
// ONE:           %[[N:.*]] = ssm.rms_norm %[[X]]
// ONE-NEXT:      adj.matmul %{{.*}}, %[[N]] {transpose_a}

// NONE-LABEL: adj.program @gradient(
// NONE:         ssm.repeat 3 iter({{.*}}) stacks(tensor<3x?x?x16xf32>, tensor<3x?x?x16xf32>, tensor<3x?x?x8xf32>, tensor<3x?x?x8xf32>)
// NONE-NOT:     ssm.rms_norm %{{.*}}tensor<3

// PLAN: policy = "recompute"
// PLAN-SAME: tape = {{\[}}["conv1d0 output", "recompute", 12288], ["up output", "recompute", 12288], ["norm output", "recompute", 6144], ["layer input", "store", 6144]]
// PLAN-LABEL: adj.program @gradient(
// PLAN:         ssm.repeat 3 iter({{.*}}) stacks(tensor<3x?x?x8xf32>) {

ssm.model @layers(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x0 = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %x = ssm.repeat 3 iter(%r = %x0 : tensor<?x?x8xf32>) {
    %wn = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<8xf32>
    %n = ssm.rms_norm %r, %wn eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    %wu = ssm.parameter "layers.{layer}.up.weight" <normal, 0.0, 0.1> : tensor<16x8xf32>
    %u = ssm.linear %n, %wu : (tensor<?x?x8xf32>, tensor<16x8xf32>) -> tensor<?x?x16xf32>
    %w = ssm.parameter "layers.{layer}.conv" <normal, 0.0, 0.1> : tensor<16x1x4xf32>
    %o = ssm.conv1d %u, %w : (tensor<?x?x16xf32>, tensor<16x1x4xf32>) -> tensor<?x?x16xf32>
    %wd = ssm.parameter "layers.{layer}.down.weight" <normal, 0.0, 0.1> : tensor<8x16xf32>
    %d = ssm.linear %o, %wd : (tensor<?x?x16xf32>, tensor<8x16xf32>) -> tensor<?x?x8xf32>
    %next = ssm.residual %r, %d : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %x, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
