// RUN: adj-opt %s --ssm-drop-unreached --split-input-file --verify-diagnostics | FileCheck %s

// What no loss depends on goes, in a stack too, which carries less then.
// CHECK-LABEL: ssm.model @dead
// CHECK-NOT:     ssm.silu
// CHECK:         %[[Y:.*]] = ssm.repeat 2 iter(%[[R:.*]] = %{{.*}} : tensor<?x?x8xf32>) {
// CHECK-NEXT:      %[[N:.*]] = ssm.residual %[[R]], %[[R]]
// CHECK-NEXT:      ssm.yield %[[N]] :
// CHECK:         ssm.lm_loss %[[Y]]
ssm.model @dead(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %s = ssm.silu %x : tensor<?x?x8xf32>
  %a, %b = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>, %k = %s : tensor<?x?x8xf32>) {
    %n = ssm.residual %r, %r : tensor<?x?x8xf32>
    %d = ssm.silu %k : tensor<?x?x8xf32>
    %dd = ssm.gate %d, %n : tensor<?x?x8xf32>
    ssm.yield %n, %dd : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  %t = ssm.silu %b : tensor<?x?x8xf32>
  %loss = ssm.lm_loss %a, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

// A value that reaches the loss only through later layers stays.
// CHECK-LABEL: ssm.model @later
// CHECK:         %[[D:.*]] = ssm.silu
// CHECK:         ssm.yield %{{.*}}, %[[D]]
ssm.model @later(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %a, %b = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>, %k = %x : tensor<?x?x8xf32>) {
    %n = ssm.residual %r, %k : tensor<?x?x8xf32>
    %d = ssm.silu %k : tensor<?x?x8xf32>
    ssm.yield %n, %d : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %a, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}

// -----

ssm.model @dead_parameter(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %e = ssm.parameter "embed" <zeros> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %e : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %y = ssm.repeat 2 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error @below {{parameter 'l.{layer}' does not reach the loss; remove it}}
    %w = ssm.parameter "l.{layer}" <zeros> : tensor<8x8xf32>
    %d = ssm.linear %r, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
    %n = ssm.silu %r : tensor<?x?x8xf32>
    ssm.yield %n : tensor<?x?x8xf32>
  }
  %loss = ssm.lm_loss %y, %e, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
