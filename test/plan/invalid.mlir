// RUN: adj-opt %s --adj-form-kernels --adj-plan-memory --split-input-file --verify-diagnostics

// expected-error @+1 {{has no plan (attribute adj.plan); run adj-choose-policies first}}
module {
}

// -----

// expected-error @+1 {{needs a tape of [name, how, bytes], where how is store, recompute or offload, found ["x output", "drop", 4]}}
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, tape = [["x output", "drop", 4]], target = "cpu"}} {
}

// -----

// expected-error @+1 {{the plan (attribute adj.plan) needs positive batch, shard, context and mini_sequence}}
module attributes {adj.plan = {batch = 1 : i64, shard = 0 : i64}} {
}

// -----

// expected-error @+1 {{budget, boundaries, optimizer and target (cpu or gpu)}}
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "tpu"}} {
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @swap(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @+1 {{a carried value that is handed on as another carried value is not built yet}}
  %y:2 = ssm.repeat 3 iter(%a = %x : tensor<?x?x8xf32>, %b = %x : tensor<?x?x8xf32>) {
    ssm.yield %b, %a : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @types(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %a = adj.carried "s/state" : tensor<?x4xf32>
  adj.hand_over "s/state", %a : tensor<?x4xf32>
  // expected-error @+1 {{'s/state' is 'tensor<?x5xf32>' in a stack of 1 here, but was 'tensor<?x4xf32>' in a stack of 1 before}}
  %b = adj.carried "s/state" : tensor<?x5xf32>
  adj.hand_over "s/state", %b : tensor<?x5xf32>
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @nested(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  adj.mini_sequences (%outer = %x : tensor<?x?x8xf32>) {
    // expected-error @+1 {{a loop inside a mini-sequence is not built yet}}
    adj.mini_sequences (%inner = %x : tensor<?x?x8xf32>) {
    }
  }
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @prepare(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %w = ssm.parameter "w" <ones> : tensor<4x4xf32>
  %copy = adj.working_copy %w : tensor<4x4xf32> -> tensor<4x4xbf16>
  // expected-error @+1 {{refreshes a working copy that nothing reads, or with what is not computed beside it}}
  adj.refresh "w", %copy : tensor<4x4xbf16>
}
}
