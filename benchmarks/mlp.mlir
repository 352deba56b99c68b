// Gated MLP blocks at four times the width, as wide as mamba-1.4b: what mini-sequences save where nothing else is large.
//   adjc benchmarks/mlp.mlir -o mlp.adjm --target=sm_90 --dtype=bf16 --shard=65536 --context=65536 [--mini-sequence=off]
!hidden = tensor<?x?x2048xf32>

ssm.model @mlp(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embeddings.weight" <normal, 0.0, 0.02> : tensor<50280x2048xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<50280x2048xf32>) -> !hidden

  %y = ssm.repeat 4 iter(%before = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<2048xf32>
    %h = ssm.rms_norm %before, %norm eps 1.0e-5 : (!hidden, tensor<2048xf32>) -> !hidden
    // Four tokens meet here; the block sees one at a time.
    %taps = ssm.parameter "layers.{layer}.conv1d.weight" <uniform, -0.5, 0.5> : tensor<2048x1x4xf32>
    %n = ssm.conv1d %h, %taps : (!hidden, tensor<2048x1x4xf32>) -> !hidden
    %gate = ssm.parameter "layers.{layer}.mlp.gate_proj.weight" <uniform, -0.0221, 0.0221> : tensor<8192x2048xf32>
    %up = ssm.parameter "layers.{layer}.mlp.up_proj.weight" <uniform, -0.0221, 0.0221> : tensor<8192x2048xf32>
    %down = ssm.parameter "layers.{layer}.mlp.down_proj.weight" <uniform, -0.011, 0.011> : tensor<2048x8192xf32>
    %m = ssm.mlp silu %n gate %gate up %up down %down
       : (!hidden, tensor<8192x2048xf32>, tensor<8192x2048xf32>, tensor<2048x8192xf32>) -> !hidden
    %after = ssm.residual %before, %m : !hidden
    ssm.yield %after : !hidden
  }

  %norm_f = ssm.parameter "norm_f.weight" <ones> : tensor<2048xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<2048xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<50280x2048xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
