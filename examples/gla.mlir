// A GLA-like model on bytes: gated linear attention with 4 heads, a matrix per head as state (arXiv 2312.06635, equation 3 and section 4.4):
// S = diag(alpha) S + k v^T, o = S^T q, alpha = sigmoid(W_2 W_1 x + b)^(1/16), y = W_o (silu(W_r x) norm(o)).
// The transition varies over (h, k): diagonal. The norm is over all heads together here.
!hidden = tensor<?x?x32xf32>
!flat = tensor<?x?x32xf32>
!heads = tensor<?x?x4x8xf32>
!square = tensor<32x32xf32>

ssm.model @gla(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %in = ssm.parameter "layers.{layer}.qkvr_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<128x32xf32>
    %all = ssm.linear %n, %in : (!hidden, tensor<128x32xf32>) -> tensor<?x?x128xf32>
    %q1, %k1, %v1, %r = ssm.split %all : tensor<?x?x128xf32> -> !flat, !flat, !flat, !flat
    %q = ssm.reshape %q1 : !flat -> !heads
    %k = ssm.reshape %k1 : !flat -> !heads
    %v = ssm.reshape %v1 : !flat -> !heads
    %W1 = ssm.parameter "layers.{layer}.gate_proj.0.weight" <uniform, -0.17677670, 0.17677670> : tensor<4x32xf32>
    %W2 = ssm.parameter "layers.{layer}.gate_proj.1.weight" <uniform, -0.5, 0.5> : tensor<32x4xf32>
    %b2 = ssm.parameter "layers.{layer}.gate_proj.1.bias" <zeros> : tensor<32xf32>
    %low = ssm.linear %n, %W1 : (!hidden, tensor<4x32xf32>) -> tensor<?x?x4xf32>
    %g1 = ssm.linear %low, %W2, %b2 : (tensor<?x?x4xf32>, tensor<32x4xf32>, tensor<32xf32>) -> !flat
    %g = ssm.reshape %g1 : !flat -> !heads

    %o = ssm.scan over [b, t, h, k, v] state [h, k, v] : f32
        ins(%q as [b, t, h, k], %k as [b, t, h, k], %v as [b, t, h, v], %g as [b, t, h, k] : !heads, !heads, !heads, !heads)
        outs([b, t, h, v] : !heads) step {
      ^bb0(%q_: f32, %k_: f32, %v_: f32, %g_: f32, %reset: i1):
        // log sigmoid(g) / 16 = -softplus(-g) / 16; softplus(v) = max(v, 0) + log(1 + exp(min(-v, v)))
        %zero = arith.constant 0.0 : f32
        %scale = arith.constant -0.0625 : f32
        %minus = arith.negf %g_ : f32
        %small = arith.minimumf %g_, %minus : f32
        %e = math.exp %small : f32
        %log = math.log1p %e : f32
        %positive = arith.maximumf %minus, %zero : f32
        %softplus = arith.addf %positive, %log : f32
        %log_alpha = arith.mulf %scale, %softplus : f32
        %alpha = math.exp %log_alpha : f32
        %kv = arith.mulf %k_, %v_ : f32
        ssm.yield %alpha, %kv : f32, f32
    } read {
      ^bb0(%q_: f32, %k_: f32, %v_: f32, %g_: f32, %S: f32, %reset: i1):
        %qS = arith.mulf %q_, %S : f32
        %sum = ssm.sum [3] %qS : f32
        ssm.yield %sum : f32
    }
    %o1 = ssm.reshape %o : !heads -> !flat
    %inner_norm = ssm.parameter "layers.{layer}.inner_norm.weight" <ones> : tensor<32xf32>
    %normed = ssm.rms_norm %o1, %inner_norm eps 1.0e-5 : (!flat, tensor<32xf32>) -> !flat
    %gated = ssm.gate %normed, %r : !flat

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
