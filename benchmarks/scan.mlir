// The selective scan of mamba-130m (1536 channels, 16 states, softplus, skip and gate) in the smallest model that holds one: what
// `tools/dev bench scan` takes the scan's kernels from.
!hidden = tensor<?x?x16xf32>
!inner = tensor<?x?x1536xf32>
!both = tensor<?x?x3072xf32>
!rank = tensor<?x?x8xf32>
!state = tensor<?x?x16xf32>
!ssm = tensor<?x?x40xf32>

ssm.model @scan(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<16x16xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<16x16xf32>) -> !hidden
  %in = ssm.parameter "in" <uniform, -0.1, 0.1> : tensor<3072x16xf32>
  %uz = ssm.linear %x, %in : (!hidden, tensor<3072x16xf32>) -> !both
  %u, %z = ssm.split %uz : !both -> !inner, !inner
  %v = ssm.silu %u : !inner
  %select = ssm.parameter "select" <uniform, -0.1, 0.1> : tensor<40x1536xf32>
  %s = ssm.linear %v, %select : (!inner, tensor<40x1536xf32>) -> !ssm
  %r, %B, %C = ssm.split %s : !ssm -> !rank, !state, !state
  %step = ssm.parameter "step" <uniform, -0.1, 0.1> : tensor<1536x8xf32>
  %dt = ssm.linear %r, %step : (!rank, tensor<1536x8xf32>) -> !inner
  %dt_bias = ssm.parameter "dt_bias" <dt_bias, 1.0e-3, 1.0e-1, 1.0e-4> : tensor<1536xf32>
  %A_log = ssm.parameter "A_log" <a_log> : tensor<1536x16xf32>
  %D = ssm.parameter "D" <ones> : tensor<1536xf32>
  %o = ssm.selective_scan %v, %dt, %A_log, %B, %C skip %D gate %z dt_bias %dt_bias
     : (!inner, !inner, tensor<1536x16xf32>, !state, !state, tensor<1536xf32>, !inner, tensor<1536xf32>) -> !inner
  %out = ssm.parameter "out" <uniform, -0.1, 0.1> : tensor<16x1536xf32>
  %w = ssm.linear %o, %out : (!inner, tensor<16x1536xf32>) -> !hidden
  %loss = ssm.lm_loss %w, %table, %targets : (!hidden, tensor<16x16xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
