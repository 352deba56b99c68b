// An HGRN-like model on bytes (arXiv 2311.04823, section 3, without the rotation of its state): a forget gate with a learned lower bound,
// f = gamma + (1 - gamma) sigmoid(W_f x), h = f h + (1 - f) silu(W_c x), o = W_o (silu(W_g x) norm(h)). Here gamma is a sigmoid per
// channel and layer; the paper's grows from layer to layer.
!hidden = tensor<?x?x32xf32>
!inner = tensor<?x?x48xf32>
!channel = tensor<48xf32>

ssm.model @hgrn(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %in = ssm.parameter "layers.{layer}.in_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<144x32xf32>
    %all = ssm.linear %n, %in : (!hidden, tensor<144x32xf32>) -> tensor<?x?x144xf32>
    %forget, %candidate, %gate = ssm.split %all : tensor<?x?x144xf32> -> !inner, !inner, !inner
    %c = ssm.silu %candidate : !inner

    %lower = ssm.parameter "layers.{layer}.lower_bound" <uniform, -1.0, 2.0> : !channel
    %h = ssm.scan over [b, t, d] state [d] : f32
        ins(%forget as [b, t, d], %c as [b, t, d], %lower as [d] : !inner, !inner, !channel) outs([b, t, d] : !inner) step {
      ^bb0(%f_: f32, %c_: f32, %lower_: f32, %reset: i1):
        %half = arith.constant 0.5 : f32
        %one = arith.constant 1.0 : f32
        %f2 = arith.mulf %f_, %half : f32
        %ft = math.tanh %f2 : f32
        %open = math.fma %ft, %half, %half : f32 // sigmoid(v) = (1 + tanh(v / 2)) / 2
        %l2 = arith.mulf %lower_, %half : f32
        %lt = math.tanh %l2 : f32
        %gamma = math.fma %lt, %half, %half : f32
        %above = arith.subf %one, %gamma : f32
        %f = math.fma %above, %open, %gamma : f32
        %rest = arith.subf %one, %f : f32
        %u = arith.mulf %rest, %c_ : f32
        ssm.yield %f, %u : f32, f32
    } read {
      ^bb0(%f_: f32, %c_: f32, %lower_: f32, %h_: f32, %reset: i1):
        ssm.yield %h_ : f32
    }
    %inner_norm = ssm.parameter "layers.{layer}.inner_norm.weight" <ones> : !channel
    %normed = ssm.rms_norm %h, %inner_norm eps 1.0e-5 : (!inner, !channel) -> !inner
    %gated = ssm.gate %normed, %gate : !inner

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.14433757, 0.14433757> : tensor<32x48xf32>
    %w = ssm.linear %gated, %out : (!inner, tensor<32x48xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : tensor<32xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
