!tokens = tensor<?x?xi32>
!x = tensor<?x?x8xf32>
ssm.model @stack(%tokens: !tokens, %targets: !tokens) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (!tokens, tensor<16x8xf32>) -> !x
  %y = ssm.repeat 2 iter(%r = %x : !x) reverse {
    %w = ssm.parameter "layers.{layer}.norm" <ones> : tensor<8xf32>
    %n = ssm.rms_norm %r, %w eps 1.0e-5 : (!x, tensor<8xf32>) -> !x
    ssm.yield %n : !x
  }
  %loss = ssm.lm_loss %y, %table, %targets : (!x, tensor<16x8xf32>, !tokens) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
