// A hybrid on bytes: every layer mixes tokens with a Mamba-1 block without its gate, then channels with a gated MLP (SwiGLU) at four times the width.
// The MLP's intermediate (tokens x 256) only ever exists for one mini-sequence at a time.
!hidden = tensor<?x?x64xf32>
!rank = tensor<?x?x4xf32>
!state = tensor<?x?x16xf32>
!ssm = tensor<?x?x36xf32>

ssm.model @mamba_mlp(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embeddings.weight" <normal, 0.0, 0.1> : tensor<256x64xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x64xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%before = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<64xf32>
    %h = ssm.rms_norm %before, %norm eps 1.0e-5 : (!hidden, tensor<64xf32>) -> !hidden
    %taps = ssm.parameter "layers.{layer}.mixer.conv1d.weight" <uniform, -0.5, 0.5> : tensor<64x1x4xf32>
    %mixed = ssm.conv1d %h, %taps : (!hidden, tensor<64x1x4xf32>) -> !hidden
    %v = ssm.silu %mixed : !hidden
    %select = ssm.parameter "layers.{layer}.mixer.x_proj.weight" <uniform, -0.125, 0.125> : tensor<36x64xf32>
    %s = ssm.linear %v, %select : (!hidden, tensor<36x64xf32>) -> !ssm
    %r, %B, %C = ssm.split %s : !ssm -> !rank, !state, !state
    %step = ssm.parameter "layers.{layer}.mixer.dt_proj.weight" <uniform, -0.5, 0.5> : tensor<64x4xf32>
    %dt = ssm.linear %r, %step : (!rank, tensor<64x4xf32>) -> !hidden
    %dt_bias = ssm.parameter "layers.{layer}.mixer.dt_proj.bias" <dt_bias, 1.0e-3, 1.0e-1, 1.0e-4> : tensor<64xf32>
    %A_log = ssm.parameter "layers.{layer}.mixer.A_log" <a_log> : tensor<64x16xf32>
    %D = ssm.parameter "layers.{layer}.mixer.D" <ones> : tensor<64xf32>
    %o = ssm.selective_scan %v, %dt, %A_log, %B, %C skip %D dt_bias %dt_bias
       : (!hidden, !hidden, tensor<64x16xf32>, !state, !state, tensor<64xf32>, tensor<64xf32>) -> !hidden
    %between = ssm.residual %before, %o : !hidden

    %mlp_norm = ssm.parameter "layers.{layer}.mlp_norm.weight" <ones> : tensor<64xf32>
    %n = ssm.rms_norm %between, %mlp_norm eps 1.0e-5 : (!hidden, tensor<64xf32>) -> !hidden
    %gate = ssm.parameter "layers.{layer}.mlp.gate_proj.weight" <uniform, -0.125, 0.125> : tensor<256x64xf32>
    %up = ssm.parameter "layers.{layer}.mlp.up_proj.weight" <uniform, -0.125, 0.125> : tensor<256x64xf32>
    %down = ssm.parameter "layers.{layer}.mlp.down_proj.weight" <uniform, -0.0625, 0.0625> : tensor<64x256xf32>
    %m = ssm.mlp silu %n gate %gate up %up down %down
       : (!hidden, tensor<256x64xf32>, tensor<256x64xf32>, tensor<64x256xf32>) -> !hidden
    %after = ssm.residual %between, %m : !hidden
    ssm.yield %after : !hidden
  }

  %norm_f = ssm.parameter "norm_f.weight" <ones> : tensor<64xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<64xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x64xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
