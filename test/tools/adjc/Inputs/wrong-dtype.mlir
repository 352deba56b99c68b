ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %w = ssm.parameter "w" <normal, 0.0, 0.1> : tensor<8x8xf64>
  // parameters are f32
  %y = ssm.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf64>) -> tensor<?x?x8xf32>
  %loss = ssm.lm_loss %y, %table, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
