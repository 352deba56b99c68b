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

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @huge_parameter(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  // expected-error @+1 {{'w' is too large: 'tensor<4294967296x4294967296xf32>'}}
  %w = ssm.parameter "w" <ones> : tensor<4294967296x4294967296xf32>
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @huge_stack(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %y = ssm.repeat 4294967296 iter(%r = %x : tensor<?x?x8xf32>) {
    // expected-error @+1 {{this stack's tensors are larger than any memory}}
    %w = ssm.parameter "layers.{layer}.w" <ones> : tensor<4294967296x8xf32>
    ssm.yield %r : tensor<?x?x8xf32>
  }
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @huge_sum(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %a = ssm.parameter "a" <ones> : tensor<1073741824x1073741824xf32>
  // expected-error @+1 {{the tensors up to this one are larger than any memory}}
  %b = ssm.parameter "b" <ones> : tensor<1073741824x1073741824xf32>
}
}

// -----

// expected-error @+1 {{a shard of 2199023255552 tokens x batch 1 is too large}}
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 2199023255552 : i64, target = "cpu"}} {
adj.program @huge_shard(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 1099511627776 : i64, target = "cpu"}} {
adj.program @huge_value(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<1x2097152xf32>
  // expected-error @+1 {{a value of type 'tensor<?x?x2097152xf32>' is too large for a shard of 1099511627776 tokens; use a shorter --shard}}
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<1x2097152xf32>) -> tensor<?x?x2097152xf32>
  %y = ssm.residual %x, %x : tensor<?x?x2097152xf32>
  adj.hand_over "h/x", %y : tensor<?x?x2097152xf32>
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @foreign_slices(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %kept:2 = ssm.repeat 3 iter(%r = %x : tensor<?x?x8xf32>) stacks(tensor<3x?x?x8xf32>) {
    ssm.yield %r, %r : tensor<?x?x8xf32>, tensor<?x?x8xf32>
  }
  %carried = ssm.repeat 2 iter(%stack = %kept#1 : tensor<3x?x?x8xf32>) {
    ssm.yield %stack : tensor<3x?x?x8xf32>
  }
  // expected-error @+1 {{slices must be what another stack of as many layers saved}}
  %y = ssm.repeat 3 iter(%r = %x : tensor<?x?x8xf32>) slices(%s = %carried : tensor<3x?x?x8xf32>) reverse {
    %next = ssm.residual %r, %s : tensor<?x?x8xf32>
    ssm.yield %next : tensor<?x?x8xf32>
  }
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @passed_through(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %y = adj.mini_sequences (%rows = %x : tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>) {
    // expected-error @+1 {{a mini-sequence's result must be computed in it}}
    adj.write_rows 0, %rows : tensor<?x8xf32, #adj.blocks<"mini", 1>>
  }
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @unknown_gradient(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  // expected-error @+1 {{accumulates into 'other', which no ssm.parameter names}}
  adj.gemm %x, %x into "other" {transpose_a} : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> ()
}
}
