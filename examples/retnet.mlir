// A RetNet-like model on bytes: retention with 4 heads (arXiv 2307.08621, equation 6, without the rotation of queries and keys):
// S = gamma S + k^T v, o = q S, and a gate. One gamma per head, 1 - 2^(-5 - head) at first (equation 8), learned here as its exponent.
!hidden = tensor<?x?x32xf32>
!flat = tensor<?x?x32xf32>
!heads = tensor<?x?x4x8xf32>
!square = tensor<32x32xf32>

ssm.model @retnet(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %in = ssm.parameter "layers.{layer}.qkvg_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<128x32xf32>
    %all = ssm.linear %n, %in : (!hidden, tensor<128x32xf32>) -> tensor<?x?x128xf32>
    %q1, %k1, %v1, %g = ssm.split %all : tensor<?x?x128xf32> -> !flat, !flat, !flat, !flat
    %q = ssm.reshape %q1 : !flat -> !heads
    %k = ssm.reshape %k1 : !flat -> !heads
    %v = ssm.reshape %v1 : !flat -> !heads

    %decay = ssm.parameter "layers.{layer}.decay" <arange, -5.0, -1.0> : tensor<4xf32> // gamma = 1 - 2^decay
    %o = ssm.scan over [b, t, h, k, v] state [h, k, v] : f32
        ins(%q as [b, t, h, k], %k as [b, t, h, k], %v as [b, t, h, v], %decay as [h] : !heads, !heads, !heads, tensor<4xf32>)
        outs([b, t, h, v] : !heads) step {
      ^bb0(%q_: f32, %k_: f32, %v_: f32, %decay_: f32, %reset: i1):
        %one = arith.constant 1.0 : f32
        %loss = math.exp2 %decay_ : f32
        %gamma = arith.subf %one, %loss : f32
        %kv = arith.mulf %k_, %v_ : f32
        ssm.yield %gamma, %kv : f32, f32
    } read {
      ^bb0(%q_: f32, %k_: f32, %v_: f32, %decay_: f32, %S: f32, %reset: i1):
        %qS = arith.mulf %q_, %S : f32
        %sum = ssm.sum [3] %qS : f32
        ssm.yield %sum : f32
    }
    %o1 = ssm.reshape %o : !heads -> !flat
    %inner_norm = ssm.parameter "layers.{layer}.inner_norm.weight" <ones> : tensor<32xf32>
    %normed = ssm.rms_norm %o1, %inner_norm eps 1.0e-5 : (!flat, tensor<32xf32>) -> !flat
    %gated = ssm.gate %normed, %g : !flat

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.17677670, 0.17677670> : !square
    %w = ssm.linear %gated, %out : (!flat, !square) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : tensor<32xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
