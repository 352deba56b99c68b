// Every operation of the dialect, in its custom syntax, survives a round trip; so does the generic form.

// RUN: adj-opt %s | adj-opt | FileCheck %s
// RUN: adj-opt --mlir-print-op-generic %s | adj-opt | FileCheck %s

// CHECK-LABEL: ssm.model @layers(%{{.*}}: tensor<?x?xi32>, %{{.*}}: tensor<?x?xi32>) {
ssm.model @layers(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  // CHECK: %[[TABLE:.*]] = ssm.parameter "table" <normal, 0.000000e+00, 2.000000e-02> : tensor<10x8xf32>
  %table = ssm.parameter "table" <normal, 0.0, 0.02> : tensor<10x8xf32>
  // CHECK: ssm.parameter "ones" <ones> : tensor<8xf32>
  %ones = ssm.parameter "ones" <ones> : tensor<8xf32>
  // CHECK: ssm.parameter "bias" <uniform, -5.000000e-01, 2.500000e-01>
  %bias = ssm.parameter "bias" <uniform, -0.5, 0.25> : tensor<10xf32>
  %square = ssm.parameter "square" <constant, 1.5> : tensor<8x8xf32>
  // CHECK: <dt_bias, 1.000000e-03, 1.000000e-01, 1.000000e-04>
  %dt_bias = ssm.parameter "dt_bias" <dt_bias, 1.0e-3, 1.0e-1, 1.0e-4> : tensor<4xf32>
  %A = ssm.parameter "A" <a_log> : tensor<4x8xf32>
  // CHECK: <arange, -5.000000e+00, -1.000000e+00>
  %decay = ssm.parameter "decay" <arange, -5.0, -1.0> : tensor<4xf32>
  %taps = ssm.parameter "taps" <zeros> : tensor<8x1x4xf32>
  // CHECK: %[[X:.*]] = ssm.embedding %{{.*}}, %[[TABLE]] : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<10x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.repeat 3 iter(%[[R:.*]] = %[[X]] : tensor<?x?x8xf32>) {
  %y = ssm.repeat 3 iter(%r = %x : tensor<?x?x8xf32>) {
    // CHECK: ssm.parameter "layers.{layer}.norm" <ones>
    %norm = ssm.parameter "layers.{layer}.norm" <ones> : tensor<8xf32>
    // CHECK: ssm.rms_norm %[[R]], %{{.*}} eps 1.000000e-05 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    %n = ssm.rms_norm %r, %norm eps 1.0e-5 : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
    // CHECK: ssm.residual %{{.*}}, %{{.*}} : tensor<?x?x8xf32>
    %next = ssm.residual %r, %n : tensor<?x?x8xf32>
    // CHECK: ssm.yield %{{.*}} : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
  // CHECK: ssm.linear %{{.*}}, %{{.*}} : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %l = ssm.linear %y, %square : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.linear %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %lb = ssm.linear %l, %square, %ones : (tensor<?x?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.conv1d %{{.*}}, %{{.*}} bias %{{.*}} : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %c = ssm.conv1d %lb, %taps bias %ones : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.silu %{{.*}} : tensor<?x?x8xf32>
  %s = ssm.silu %c : tensor<?x?x8xf32>
  // CHECK: ssm.gate %{{.*}}, %{{.*}} : tensor<?x?x8xf32>
  %g = ssm.gate %s, %c : tensor<?x?x8xf32>
  // CHECK: %[[PARTS:.*]]:2 = ssm.split %{{.*}} : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
  %u, %z = ssm.split %g : tensor<?x?x8xf32> -> tensor<?x?x4xf32>, tensor<?x?x4xf32>
  // CHECK: %[[HEADS:.*]] = ssm.reshape %{{.*}} : tensor<?x?x8xf32> -> tensor<?x?x2x4xf32>
  %heads = ssm.reshape %g : tensor<?x?x8xf32> -> tensor<?x?x2x4xf32>
  // CHECK: ssm.reshape %[[HEADS]] : tensor<?x?x2x4xf32> -> tensor<?x?x8xf32>
  %channels = ssm.reshape %heads : tensor<?x?x2x4xf32> -> tensor<?x?x8xf32>
  // CHECK: %[[O:.*]] = ssm.selective_scan %[[PARTS]]#0, %[[PARTS]]#1, %{{.*}}, %{{.*}}, %{{.*}} gate %[[PARTS]]#1 dt_bias %{{.*}} : (
  %o = ssm.selective_scan %u, %z, %A, %g, %s gate %z dt_bias %dt_bias
     : (tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<4x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x4xf32>, tensor<4xf32>)
       -> tensor<?x?x4xf32>
  // CHECK: ssm.concat %[[O]], %[[PARTS]]#0 : tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x8xf32>
  %joined = ssm.concat %o, %u : tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x8xf32>
  // CHECK: ssm.lm_loss %{{.*}}, %[[TABLE]], %{{.*}} bias %{{.*}} : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<10xf32>) -> tensor<f32>
  %loss = ssm.lm_loss %joined, %table, %targets bias %bias
        : (tensor<?x?x8xf32>, tensor<10x8xf32>, tensor<?x?xi32>, tensor<10xf32>) -> tensor<f32>
  // CHECK: ssm.return %{{.*}} : tensor<f32>
  ssm.return %loss : tensor<f32>
}

// CHECK-LABEL: func.func @mlp
func.func @mlp(%x: tensor<?x?x8xf32>, %wide: tensor<32x8xf32>, %w: tensor<32xf32>, %back: tensor<8x32xf32>, %b: tensor<8xf32>) {
  // CHECK: ssm.mlp silu %[[X:.*]] gate %[[W:.*]] up %[[W]] down %[[D:.*]] : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  %y = ssm.mlp silu %x gate %wide up %wide down %back
     : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.mlp gelu_pytorch_tanh %[[X]] gate %[[W]] bias %[[G:.*]] up %[[W]] bias %[[G]] down %[[D]] bias %{{.*}} :
  %z = ssm.mlp gelu_pytorch_tanh %x gate %wide bias %w up %wide bias %w down %back bias %b
     : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<32xf32>, tensor<32x8xf32>, tensor<32xf32>, tensor<8x32xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ssm.mlp gelu %[[X]] up %[[W]] down %[[D]] bias %{{.*}} : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>, tensor<8xf32>)
  %u = ssm.mlp gelu %x up %wide down %back bias %b : (tensor<?x?x8xf32>, tensor<32x8xf32>, tensor<8x32xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return
}

// What passes make of a stack and of a convolution.
// CHECK-LABEL: func.func @stacks
func.func @stacks(%x: tensor<?x?x8xf32>, %many: tensor<3x?x?x4xf32>, %resets: tensor<?x?xi8>, %tail: tensor<?x3x8xf32>) {
  // CHECK: ssm.repeat 3 iter(%{{.*}} = %{{.*}} : tensor<?x?x8xf32>) slices(%[[S:.*]] = %{{.*}} : tensor<3x?x?x4xf32>)
  // CHECK-SAME: stacks(tensor<3x?x?x4xf32>) reverse {
  // CHECK-NEXT: ssm.yield %{{.*}}, %[[S]] : tensor<?x?x8xf32>, tensor<?x?x4xf32>
  %y, %stack = ssm.repeat 3 iter(%r = %x : tensor<?x?x8xf32>) slices(%s = %many : tensor<3x?x?x4xf32>)
      stacks(tensor<3x?x?x4xf32>) reverse {
    ssm.yield %r, %s : tensor<?x?x8xf32>, tensor<?x?x4xf32>
  }
  %taps = ssm.parameter "taps" <zeros> : tensor<8x1x4xf32>
  // CHECK: ssm.conv1d %{{.*}}, %{{.*}} tail %{{.*}} resets %{{.*}} {carry_name = "conv0"} :
  %c, %next = ssm.conv1d %x, %taps tail %tail resets %resets {carry_name = "conv0"}
     : (tensor<?x?x8xf32>, tensor<8x1x4xf32>, tensor<?x3x8xf32>, tensor<?x?xi8>) -> (tensor<?x?x8xf32>, tensor<?x3x8xf32>)
  return
}

// A scan with all that passes add: it starts from a state, hands one over, keeps checkpoints.
// CHECK-LABEL: func.func @scan
func.func @scan(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>, %h: tensor<?x4x2xf32>, %resets: tensor<?x?xi8>) {
  // CHECK: ssm.scan over [b, t, d, n] state [d, n] : f32
  // CHECK-NEXT: ins(%{{.*}} as [b, t, d], %{{.*}} as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
  // CHECK-SAME: initial(%{{.*}} : tensor<?x4x2xf32>) resets(%{{.*}} : tensor<?x?xi8>) final(tensor<?x4x2xf32>)
  // CHECK-SAME: checkpoints(every 8 : tensor<?x?x4x2xf32, #adj.blocks<"tokens", 8>>) attributes {carry_name = "scan0"} step {
  // CHECK: ssm.yield %{{.*}}, %{{.*}} : f32, f32
  // CHECK: } read {
  // CHECK: ssm.sum [3] %{{.*}} : f32
  %y, %final, %checkpoints = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x4xf32>, tensor<4x2xf32>) outs([b, t, d] : tensor<?x?x4xf32>)
      initial(%h : tensor<?x4x2xf32>) resets(%resets : tensor<?x?xi8>) final(tensor<?x4x2xf32>)
      checkpoints(every 8 : tensor<?x?x4x2xf32, #adj.blocks<"tokens", 8>>) attributes {carry_name = "scan0"} step {
  ^bb0(%v: f32, %w: f32, %reset: i1):
    ssm.yield %w, %v : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %state: f32, %reset: i1):
    %s = ssm.sum [3] %state : f32
    %o = arith.addf %s, %v : f32
    ssm.yield %o : f32
  }
  return
}

// A complex diagonal recurrence, no inputs that vary; its output has a dimension of its own (S5).
// CHECK-LABEL: func.func @complex
func.func @complex(%x: tensor<?x?xf32>, %re: tensor<6xf32>, %im: tensor<6xf32>, %C: tensor<3x6xf32>) {
  // CHECK: ssm.scan over [b, t, n, o] state [n] : complex<f32>
  // CHECK-NEXT: {{.*}}outs([b, t, o] : tensor<?x?x3xf32>)
  %y = ssm.scan over [b, t, n, o] state [n] : complex<f32>
      ins(%x as [b, t], %re as [n], %im as [n], %C as [o, n] : tensor<?x?xf32>, tensor<6xf32>, tensor<6xf32>, tensor<3x6xf32>)
      outs([b, t, o] : tensor<?x?x3xf32>) step {
  ^bb0(%v: f32, %r: f32, %i: f32, %c: f32, %reset: i1):
    %zero = arith.constant 0.0 : f32
    %a = complex.create %r, %i : complex<f32>
    %u = complex.create %v, %zero : complex<f32>
    ssm.yield %a, %u : complex<f32>, complex<f32>
  } read {
  ^bb0(%v: f32, %r: f32, %i: f32, %c: f32, %h: complex<f32>, %reset: i1):
    %real = complex.re %h : complex<f32>
    %p = arith.mulf %c, %real : f32
    %s = ssm.sum [2] %p : f32
    ssm.yield %s : f32
  }
  return
}

// A dense transition: m is a copy of n. The step may look at the reset flag.
// CHECK-LABEL: func.func @dense
func.func @dense(%A: tensor<?x?x6x6xf32>, %x: tensor<?x?x6xf32>) {
  // CHECK: ssm.scan over [b, t, n, m] state [n] contracted m of n : f32
  %y = ssm.scan over [b, t, n, m] state [n] contracted m of n : f32
      ins(%A as [b, t, n, m], %x as [b, t, n] : tensor<?x?x6x6xf32>, tensor<?x?x6xf32>) outs([b, t, n] : tensor<?x?x6xf32>) step {
  ^bb0(%a: f32, %v: f32, %reset: i1):
    %zero = arith.constant 0.0 : f32
    %u = arith.select %reset, %zero, %v : f32
    ssm.yield %a, %u : f32, f32
  } read {
  ^bb0(%a: f32, %v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }
  return
}
