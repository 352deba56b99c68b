// minGRU on bytes (arXiv 2410.01201, section 3.1): a GRU whose gate and candidate do not look at the state, so that it is affine in it:
// z = sigmoid(W_z x + b_z), g = W_h x + b_h, h = (1 - z) h + z g.
!hidden = tensor<?x?x32xf32>
!inner = tensor<?x?x48xf32>

ssm.model @mingru(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %in = ssm.parameter "layers.{layer}.to_gate_and_candidate.weight" <uniform, -0.17677670, 0.17677670> : tensor<96x32xf32>
    %in_bias = ssm.parameter "layers.{layer}.to_gate_and_candidate.bias" <zeros> : tensor<96xf32>
    %both = ssm.linear %n, %in, %in_bias : (!hidden, tensor<96x32xf32>, tensor<96xf32>) -> tensor<?x?x96xf32>
    %gate, %candidate = ssm.split %both : tensor<?x?x96xf32> -> !inner, !inner

    %h = ssm.scan over [b, t, d] state [d] : f32
        ins(%gate as [b, t, d], %candidate as [b, t, d] : !inner, !inner) outs([b, t, d] : !inner) step {
      ^bb0(%gate_: f32, %g: f32, %reset: i1):
        %half = arith.constant 0.5 : f32
        %scaled = arith.mulf %gate_, %half : f32
        %tanh = math.tanh %scaled : f32
        %z = math.fma %tanh, %half, %half : f32 // sigmoid(v) = (1 + tanh(v / 2)) / 2
        %one = arith.constant 1.0 : f32
        %a = arith.subf %one, %z : f32
        %u = arith.mulf %z, %g : f32
        ssm.yield %a, %u : f32, f32
    } read {
      ^bb0(%gate_: f32, %g: f32, %h_: f32, %reset: i1):
        ssm.yield %h_ : f32
    }

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.14433757, 0.14433757> : tensor<32x48xf32>
    %w = ssm.linear %h, %out : (!inner, tensor<32x48xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : tensor<32xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
