// S4D-Real on bytes: a diagonal state space model that does not depend on its input. arXiv 2206.11893: h' = A h + B u, y = C h + D u
// (section 2), A_n = -(n + 1) (S4D-Real, section 4), B = 1, discretised by zero-order hold: a = exp(dt A), input (a - 1) / A u.
!hidden = tensor<?x?x32xf32>
!channel = tensor<32xf32>
!modes = tensor<32x16xf32>

ssm.model @s4d_real(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : !channel
    %u = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, !channel) -> !hidden

    %log_dt = ssm.parameter "layers.{layer}.log_dt" <uniform, -6.9077553, -2.3025851> : !channel // dt from 0.001 to 0.1
    %A_log = ssm.parameter "layers.{layer}.A_log" <a_log> : !modes // A = -exp(A_log)
    %C = ssm.parameter "layers.{layer}.C" <normal, 0.0, 1.0> : !modes
    %D = ssm.parameter "layers.{layer}.D" <normal, 0.0, 1.0> : !channel
    %o = ssm.scan over [b, t, d, n] state [d, n] : f32
        ins(%u as [b, t, d], %log_dt as [d], %A_log as [d, n], %C as [d, n], %D as [d] : !hidden, !channel, !modes, !modes, !channel)
        outs([b, t, d] : !hidden) step {
      ^bb0(%u_: f32, %log_dt_: f32, %A_log_: f32, %C_: f32, %D_: f32, %reset: i1):
        %dt = math.exp %log_dt_ : f32
        %rate = math.exp %A_log_ : f32 // -A
        %minus = arith.negf %rate : f32
        %exponent = arith.mulf %dt, %minus : f32
        %a = math.exp %exponent : f32
        %difference = math.expm1 %exponent : f32 // a - 1, without cancellation
        %hold = arith.divf %difference, %minus : f32
        %input = arith.mulf %hold, %u_ : f32
        ssm.yield %a, %input : f32, f32
    } read {
      ^bb0(%u_: f32, %log_dt_: f32, %A_log_: f32, %C_: f32, %D_: f32, %h: f32, %reset: i1):
        %Ch = arith.mulf %C_, %h : f32
        %sum = ssm.sum [3] %Ch : f32
        %v = math.fma %D_, %u_, %sum : f32
        // GELU: v (1 + erf(v / sqrt 2)) / 2
        %half = arith.constant 0.5 : f32
        %root = arith.constant 0.70710678 : f32
        %scaled = arith.mulf %v, %root : f32
        %erf = math.erf %scaled : f32
        %gate = math.fma %half, %erf, %half : f32
        %gelu = arith.mulf %v, %gate : f32
        ssm.yield %gelu : f32
    }

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<32x32xf32>
    %w = ssm.linear %o, %out : (!hidden, tensor<32x32xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : !channel
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, !channel) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
