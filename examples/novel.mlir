// A recurrence that no library has, made up for this file. Each channel keeps N traces that fade at rates of their own, all of them faster when
// the token is a surprise (s), and is read relative to how much it remembers at all, so that the read-out is not linear in the state:
//     s = 1 - exp(-e^2)                                   e: how far the token is off, from a linear layer
//     h[d, n] = exp(-rate[d, n] (1 + 4 s[d])) h[d, n] + sqrt(1 - a[d, n]^2) w[d] B[n]
//     y[d]    = tanh(D[d] w[d]) + sum_n C[n] h[d, n] / sqrt(1 + sum_n h[d, n]^2)
!hidden = tensor<?x?x32xf32>
!inner = tensor<?x?x48xf32>
!key = tensor<?x?x8xf32>
!channel = tensor<48xf32>
!rates = tensor<48x8xf32>

ssm.model @novel(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %in = ssm.parameter "layers.{layer}.in_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<112x32xf32>
    %all = ssm.linear %n, %in : (!hidden, tensor<112x32xf32>) -> tensor<?x?x112xf32>
    %w, %e, %B, %C = ssm.split %all : tensor<?x?x112xf32> -> !inner, !inner, !key, !key

    %log_rate = ssm.parameter "layers.{layer}.log_rate" <arange, -6.0, 0.75> : !rates // rates from 0.0025 to 0.47
    %D = ssm.parameter "layers.{layer}.D" <ones> : !channel
    %o = ssm.scan over [b, t, d, n] state [d, n] : f32
        ins(%w as [b, t, d], %e as [b, t, d], %B as [b, t, n], %C as [b, t, n], %log_rate as [d, n], %D as [d]
            : !inner, !inner, !key, !key, !rates, !channel)
        outs([b, t, d] : !inner) step {
      ^bb0(%w_: f32, %e_: f32, %B_: f32, %C_: f32, %log_rate_: f32, %D_: f32, %reset: i1):
        %one = arith.constant 1.0 : f32
        %minus_four = arith.constant -4.0 : f32
        %minus_e = arith.negf %e_ : f32
        %exponent = arith.mulf %minus_e, %e_ : f32
        %minus_s = math.expm1 %exponent : f32
        %faster = math.fma %minus_four, %minus_s, %one : f32
        %rate = math.exp %log_rate_ : f32
        %minus_rate = arith.negf %rate : f32
        %log_a = arith.mulf %minus_rate, %faster : f32
        %a = math.exp %log_a : f32
        %log_a2 = arith.addf %log_a, %log_a : f32
        %difference = math.expm1 %log_a2 : f32
        %rest = arith.negf %difference : f32
        %root = math.sqrt %rest : f32
        %wB = arith.mulf %w_, %B_ : f32
        %u = arith.mulf %root, %wB : f32
        ssm.yield %a, %u : f32, f32
    } read {
      ^bb0(%w_: f32, %e_: f32, %B_: f32, %C_: f32, %log_rate_: f32, %D_: f32, %h: f32, %reset: i1):
        %one = arith.constant 1.0 : f32
        %Ch = arith.mulf %C_, %h : f32
        %sum = ssm.sum [3] %Ch : f32
        %hh = arith.mulf %h, %h : f32
        %energy = ssm.sum [3] %hh : f32
        %all_ = arith.addf %one, %energy : f32
        %size = math.rsqrt %all_ : f32
        %Dw = arith.mulf %D_, %w_ : f32
        %skip = math.tanh %Dw : f32
        %y_ = math.fma %sum, %size, %skip : f32
        ssm.yield %y_ : f32
    }

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.14433757, 0.14433757> : tensor<32x48xf32>
    %v = ssm.linear %o, %out : (!inner, tensor<32x48xf32>) -> !hidden
    %next = ssm.residual %residual, %v : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : tensor<32xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
