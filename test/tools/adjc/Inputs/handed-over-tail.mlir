!tokens = tensor<?x?xi32>
!x = tensor<?x?x8xf32>
ssm.model @conv(%tokens: !tokens, %targets: !tokens) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %taps = ssm.parameter "taps" <normal, 0.0, 0.1> : tensor<8x1x4xf32>
  %x = ssm.embedding %tokens, %table : (!tokens, tensor<16x8xf32>) -> !x
  %y, %next = ssm.conv1d %x, %taps : (!x, tensor<8x1x4xf32>) -> (!x, tensor<?x3x8xf32>)
  %loss = ssm.lm_loss %y, %table, %targets : (!x, tensor<16x8xf32>, !tokens) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
