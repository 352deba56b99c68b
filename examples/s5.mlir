// S5 on bytes: one complex diagonal state for all channels, dense B and C. arXiv 2208.04933, section 3:
// h_k = a h_{k-1} + (a - 1) / A (B u_k), y_k = 2 Re(C h_k) + D u_k, a = exp(dt A). B u is two matrix products (real and imaginary part);
// C is in the read-out, whose output has a dimension of its own, p. A starts as S4D-Lin's (arXiv 2206.11893), as the paper allows.
!hidden = tensor<?x?x32xf32>
!channel = tensor<32xf32>
!state = tensor<?x?x24xf32>
!modes = tensor<24xf32>

ssm.model @s5(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : !channel
    %u = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, !channel) -> !hidden
    %B_re = ssm.parameter "layers.{layer}.B_real" <normal, 0.0, 0.125> : tensor<24x32xf32>
    %B_im = ssm.parameter "layers.{layer}.B_imag" <normal, 0.0, 0.125> : tensor<24x32xf32>
    %Bu_re = ssm.linear %u, %B_re : (!hidden, tensor<24x32xf32>) -> !state
    %Bu_im = ssm.linear %u, %B_im : (!hidden, tensor<24x32xf32>) -> !state

    %log_dt = ssm.parameter "layers.{layer}.log_dt" <uniform, -6.9077553, -2.3025851> : !modes // dt from 0.001 to 0.1
    %A_log = ssm.parameter "layers.{layer}.A_real_log" <constant, -0.69314718> : !modes // Re A = -exp(A_log) = -1/2
    %A_imag = ssm.parameter "layers.{layer}.A_imag" <arange, 0.0, 3.14159265> : !modes // 0, pi, 2 pi, ...
    %C_re = ssm.parameter "layers.{layer}.C_real" <normal, 0.0, 0.2> : tensor<32x24xf32>
    %C_im = ssm.parameter "layers.{layer}.C_imag" <normal, 0.0, 0.2> : tensor<32x24xf32>
    %D = ssm.parameter "layers.{layer}.D" <normal, 0.0, 1.0> : !channel
    %o = ssm.scan over [b, t, n, p] state [n] : complex<f32>
        ins(%Bu_re as [b, t, n], %Bu_im as [b, t, n], %log_dt as [n], %A_log as [n], %A_imag as [n],
            %C_re as [p, n], %C_im as [p, n], %D as [p], %u as [b, t, p]
            : !state, !state, !modes, !modes, !modes, tensor<32x24xf32>, tensor<32x24xf32>, !channel, !hidden)
        outs([b, t, p] : !hidden) step {
      ^bb0(%re: f32, %im: f32, %ldt: f32, %A_log_: f32, %A_im: f32, %c_re: f32, %c_im: f32, %d: f32, %u_: f32, %reset: i1):
        %zero = arith.constant 0.0 : f32
        %rate = math.exp %A_log_ : f32
        %A_re = arith.negf %rate : f32
        %A = complex.create %A_re, %A_im : complex<f32>
        %dt_real = math.exp %ldt : f32
        %dt = complex.create %dt_real, %zero : complex<f32>
        %exponent = complex.mul %dt, %A : complex<f32>
        %a = complex.exp %exponent : complex<f32>
        %difference = complex.expm1 %exponent : complex<f32> // a - 1, without cancellation
        %hold = complex.div %difference, %A : complex<f32>
        %Bu = complex.create %re, %im : complex<f32>
        %input = complex.mul %hold, %Bu : complex<f32>
        ssm.yield %a, %input : complex<f32>, complex<f32>
    } read {
      ^bb0(%re: f32, %im: f32, %ldt: f32, %A_log_: f32, %A_im: f32, %c_re: f32, %c_im: f32, %d: f32, %u_: f32, %h: complex<f32>, %reset: i1):
        %C = complex.create %c_re, %c_im : complex<f32>
        %Ch = complex.mul %C, %h : complex<f32>
        %real = complex.re %Ch : complex<f32>
        %sum = ssm.sum [2] %real : f32
        %two = arith.constant 2.0 : f32
        %twice = arith.mulf %two, %sum : f32
        %v = math.fma %d, %u_, %twice : f32
        ssm.yield %v : f32
    }
    %act = ssm.silu %o : !hidden
    %next = ssm.residual %residual, %act : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : !channel
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, !channel) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
