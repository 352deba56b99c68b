// A Mamba on bytes, small enough to train in a minute: 2 layers, 64 channels.
// Parameters carry Hugging Face's names; the head is tied to the embeddings.
!hidden = tensor<?x?x64xf32>
!inner = tensor<?x?x128xf32>
!both = tensor<?x?x256xf32>
!rank = tensor<?x?x4xf32>
!state = tensor<?x?x16xf32>
!ssm = tensor<?x?x36xf32>

ssm.model @mamba_tiny(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "backbone.embeddings.weight" <normal, 0.0, 0.1> : tensor<256x64xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x64xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "backbone.layers.{layer}.norm.weight" <ones> : tensor<64xf32>
    %h = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<64xf32>) -> !hidden

    %in = ssm.parameter "backbone.layers.{layer}.mixer.in_proj.weight" <uniform, -0.125, 0.125> : tensor<256x64xf32>
    %uz = ssm.linear %h, %in : (!hidden, tensor<256x64xf32>) -> !both
    %u, %z = ssm.split %uz : !both -> !inner, !inner

    %taps = ssm.parameter "backbone.layers.{layer}.mixer.conv1d.weight" <uniform, -0.5, 0.5> : tensor<128x1x4xf32>
    %taps_bias = ssm.parameter "backbone.layers.{layer}.mixer.conv1d.bias" <uniform, -0.5, 0.5> : tensor<128xf32>
    %mixed = ssm.conv1d %u, %taps bias %taps_bias : (!inner, tensor<128x1x4xf32>, tensor<128xf32>) -> !inner
    %v = ssm.silu %mixed : !inner

    // The selective part: time step, B and C are made from the input.
    %select = ssm.parameter "backbone.layers.{layer}.mixer.x_proj.weight" <uniform, -0.0883883, 0.0883883> : tensor<36x128xf32>
    %s = ssm.linear %v, %select : (!inner, tensor<36x128xf32>) -> !ssm
    %r, %B, %C = ssm.split %s : !ssm -> !rank, !state, !state
    %step = ssm.parameter "backbone.layers.{layer}.mixer.dt_proj.weight" <uniform, -0.5, 0.5> : tensor<128x4xf32>
    %dt = ssm.linear %r, %step : (!rank, tensor<128x4xf32>) -> !inner

    %dt_bias = ssm.parameter "backbone.layers.{layer}.mixer.dt_proj.bias" <dt_bias, 1.0e-3, 1.0e-1, 1.0e-4> : tensor<128xf32>
    %A_log = ssm.parameter "backbone.layers.{layer}.mixer.A_log" <a_log> : tensor<128x16xf32>
    %D = ssm.parameter "backbone.layers.{layer}.mixer.D" <ones> : tensor<128xf32>
    %o = ssm.selective_scan %v, %dt, %A_log, %B, %C skip %D gate %z dt_bias %dt_bias
       : (!inner, !inner, tensor<128x16xf32>, !state, !state, tensor<128xf32>, !inner, tensor<128xf32>) -> !inner

    %out = ssm.parameter "backbone.layers.{layer}.mixer.out_proj.weight" <uniform, -0.0625, 0.0625> : tensor<64x128xf32>
    %w = ssm.linear %o, %out : (!inner, tensor<64x128xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "backbone.norm_f.weight" <ones> : tensor<64xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<64xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x64xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
