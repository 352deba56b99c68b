!tokens = tensor<?x?xi32>
!x = tensor<?x?x4xf32>
ssm.model @idle(%tokens: !tokens, %targets: !tokens) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<8x4xf32>
  %idle = ssm.parameter "idle" <ones> : tensor<4xf32>
  %x = ssm.embedding %tokens, %table : (!tokens, tensor<8x4xf32>) -> !x
  %loss = ssm.lm_loss %x, %table, %targets : (!x, tensor<8x4xf32>, !tokens) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
