ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x = ssm.nonsense %tokens, %table : (tensor<?x?xi32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %loss = ssm.lm_loss %x, %table, %targets : (tensor<?x?x8xf32>, tensor<16x8xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
