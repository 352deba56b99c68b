// RUN: adj-opt %s -split-input-file -verify-diagnostics -adj-form-kernels | FileCheck %s

// A product of an operand in bf16 reads the parameter's working copy, as the embedding does then; @prepare makes the copies.
// CHECK-LABEL: adj.program @gradient
// CHECK: %[[W:.*]] = ssm.parameter "w"
// CHECK: %[[C:.*]] = adj.working_copy %[[W]] : tensor<4x4xf32> -> tensor<4x4xbf16>
// CHECK: adj.dispatch @embedding_0(%{{.*}}, %[[C]])
// CHECK: adj.dispatch @generic_0
// CHECK: adj.gemm %{{.*}}, %[[C]] {transpose_b} : (tensor<?x?x4xbf16>, tensor<4x4xbf16>) -> tensor<?x?x4xbf16>
// CHECK: adj.gemm %{{.*}}, %{{.*}} into "w" {transpose_a} : (tensor<?x?x4xbf16>, tensor<?x?x4xbf16>) -> ()
// CHECK: adj.program @prepare
// CHECK: %[[M:.*]] = ssm.parameter "w"
// CHECK: %[[R:.*]] = adj.dispatch @truncf_0(%[[M]]) : (tensor<4x4xf32>) -> tensor<4x4xbf16>
// CHECK: adj.refresh "w", %[[R]] : tensor<4x4xbf16>
adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %w = ssm.parameter "w" <ones> : tensor<4x4xf32>
  %x = ssm.embedding %tokens, %w : (tensor<?x?xi32>, tensor<4x4xf32>) -> tensor<?x?x4xf32>
  %r = arith.truncf %x : tensor<?x?x4xf32> to tensor<?x?x4xbf16>
  %y = ssm.linear %r, %w : (tensor<?x?x4xbf16>, tensor<4x4xf32>) -> tensor<?x?x4xbf16>
  %d = adj.matmul %y, %r {transpose_a} : (tensor<?x?x4xbf16>, tensor<?x?x4xbf16>) -> tensor<4x4xf32>
  adj.accumulate "w", %d : tensor<4x4xf32>
}

// -----

adj.program @gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %w = ssm.parameter "w" <ones> : tensor<4x4xf32>
  %x = ssm.embedding %tokens, %w : (tensor<?x?xi32>, tensor<4x4xf32>) -> tensor<?x?x4xf32>
  %r = arith.truncf %x : tensor<?x?x4xf32> to tensor<?x?x4xbf16>
  // expected-error@+1 {{multiplies a value in bf16 by one in f32 that is no parameter; round that first}}
  %d = adj.matmul %r, %x {transpose_a} : (tensor<?x?x4xbf16>, tensor<?x?x4xf32>) -> tensor<4x4xf32>
  adj.accumulate "w", %d : tensor<4x4xf32>
}
