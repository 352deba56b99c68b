// RUN: adj-opt %s --adj-plan-memory --split-input-file --verify-diagnostics

// Places are for values that kernels and products make: of a program without kernels the planner says which pass is missing.
#rows = affine_map<(b, t, c) -> (b, t, c)>
module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @region(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %x = adj.carried "h/x" : tensor<?x4x8xf32>
  // expected-error @+1 {{is not in a kernel; run adj-form-kernels first}}
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<?x4x8xf32>) outs(%x : tensor<?x4x8xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
  } -> tensor<?x4x8xf32>
}
}

// -----

module attributes {adj.plan = {batch = 1 : i64, boundaries = "device", budget = 1 : i64, context = 64 : i64, mini_sequence = 4 : i64, optimizer = "none", shard = 8 : i64, target = "cpu"}} {
adj.program @operation(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>, %resets: tensor<?x?xi8>, %scale: tensor<f32>) {
  %table = ssm.parameter "table" <ones> : tensor<16x8xf32>
  // expected-error @+1 {{its result has no place; run adj-form-kernels first}}
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
}
}
