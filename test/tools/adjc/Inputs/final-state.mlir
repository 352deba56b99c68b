!tokens = tensor<?x?xi32>
!x = tensor<?x?x8xf32>
ssm.model @scan(%tokens: !tokens, %targets: !tokens) {
  %table = ssm.parameter "table" <normal, 0.0, 0.1> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (!tokens, tensor<16x8xf32>) -> !x
  %y, %final = ssm.scan over [b, t, d] state [d] : f32
      ins(%x as [b, t, d] : !x) outs([b, t, d] : !x) final(tensor<?x8xf32>)
  step {
  ^bb0(%v: f32, %reset: i1):
    ssm.yield %v, %v : f32, f32
  } read {
  ^bb0(%v: f32, %h: f32, %reset: i1):
    ssm.yield %h : f32
  }
  %loss = ssm.lm_loss %y, %table, %targets : (!x, tensor<16x8xf32>, !tokens) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
