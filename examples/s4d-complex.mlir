// S4D-Lin on bytes: a complex diagonal state. arXiv 2206.11893: A_n = -1/2 + i pi n (S4D-Lin, section 4), B = 1, zero-order
// hold: a = exp(dt A), input (a - 1) / A u, and y = 2 Re(C h) + D u: one state stands for a conjugate pair.
!hidden = tensor<?x?x32xf32>
!channel = tensor<32xf32>
!modes = tensor<32x8xf32>

ssm.model @s4d_complex(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : !channel
    %u = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, !channel) -> !hidden

    %log_dt = ssm.parameter "layers.{layer}.log_dt" <uniform, -6.9077553, -2.3025851> : !channel // dt from 0.001 to 0.1
    %A_log = ssm.parameter "layers.{layer}.A_real_log" <constant, -0.69314718> : !modes // Re A = -exp(A_log) = -1/2
    %A_imag = ssm.parameter "layers.{layer}.A_imag" <arange, 0.0, 3.14159265> : !modes // 0, pi, 2 pi, ...
    %C_re = ssm.parameter "layers.{layer}.C_real" <normal, 0.0, 0.70710678> : !modes
    %C_im = ssm.parameter "layers.{layer}.C_imag" <normal, 0.0, 0.70710678> : !modes
    %D = ssm.parameter "layers.{layer}.D" <normal, 0.0, 1.0> : !channel
    %o = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
        ins(%u as [b, t, d], %log_dt as [d], %A_log as [d, n], %A_imag as [d, n], %C_re as [d, n], %C_im as [d, n], %D as [d]
            : !hidden, !channel, !modes, !modes, !modes, !modes, !channel)
        outs([b, t, d] : !hidden) step {
      ^bb0(%u_: f32, %log_dt_: f32, %A_log_: f32, %im: f32, %C_re_: f32, %C_im_: f32, %D_: f32, %reset: i1):
        %zero = arith.constant 0.0 : f32
        %rate = math.exp %A_log_ : f32
        %re = arith.negf %rate : f32
        %A = complex.create %re, %im : complex<f32>
        %dt_real = math.exp %log_dt_ : f32
        %dt = complex.create %dt_real, %zero : complex<f32>
        %exponent = complex.mul %dt, %A : complex<f32>
        %a = complex.exp %exponent : complex<f32>
        %difference = complex.expm1 %exponent : complex<f32> // a - 1, without cancellation
        %hold = complex.div %difference, %A : complex<f32>
        %input = complex.create %u_, %zero : complex<f32>
        %held = complex.mul %hold, %input : complex<f32>
        ssm.yield %a, %held : complex<f32>, complex<f32>
    } read {
      ^bb0(%u_: f32, %log_dt_: f32, %A_log_: f32, %im: f32, %C_re_: f32, %C_im_: f32, %D_: f32, %h: complex<f32>, %reset: i1):
        %C = complex.create %C_re_, %C_im_ : complex<f32>
        %Ch = complex.mul %C, %h : complex<f32>
        %real = complex.re %Ch : complex<f32>
        %sum = ssm.sum [3] %real : f32
        %two = arith.constant 2.0 : f32
        %twice = arith.mulf %two, %sum : f32
        %v = math.fma %D_, %u_, %twice : f32
        ssm.yield %v : f32
    }
    %act = ssm.silu %o : !hidden

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<32x32xf32>
    %w = ssm.linear %act, %out : (!hidden, tensor<32x32xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : !channel
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, !channel) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
