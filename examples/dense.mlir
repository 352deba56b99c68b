// A selective state space model with unstructured matrices on bytes: A (N x N), B (N x P) and C (P x N) are all made from the token
// (arXiv 2501.00692, section 2.1):  h = A h + B x, y = C h, with N = 8 and P = 32. A = 0.95 tanh(.) / N is contractive in the maximum norm.
// m is a copy of n, over which the transition is summed; p is the input's and the output's dimension.
!hidden = tensor<?x?x32xf32>
!A = tensor<?x?x8x8xf32>
!B = tensor<?x?x8x32xf32>
!C = tensor<?x?x32x8xf32>

ssm.model @dense(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %select = ssm.parameter "layers.{layer}.select.weight" <uniform, -0.17677670, 0.17677670> : tensor<576x32xf32>
    %select_bias = ssm.parameter "layers.{layer}.select.bias" <uniform, -1.0, 1.0> : tensor<576xf32>
    %ABC = ssm.linear %n, %select, %select_bias : (!hidden, tensor<576x32xf32>, tensor<576xf32>) -> tensor<?x?x576xf32>
    %A1, %B1, %C1 = ssm.split %ABC : tensor<?x?x576xf32> -> tensor<?x?x64xf32>, tensor<?x?x256xf32>, tensor<?x?x256xf32>
    %A = ssm.reshape %A1 : tensor<?x?x64xf32> -> !A
    %B = ssm.reshape %B1 : tensor<?x?x256xf32> -> !B
    %C = ssm.reshape %C1 : tensor<?x?x256xf32> -> !C

    %o = ssm.scan over [b, t, n, m, p] state [n] contracted m of n : f32
        ins(%A as [b, t, n, m], %B as [b, t, n, p], %C as [b, t, p, n], %n as [b, t, p] : !A, !B, !C, !hidden)
        outs([b, t, p] : !hidden) step {
      ^bb0(%A_: f32, %B_: f32, %C_: f32, %x_: f32, %reset: i1):
        %scale = arith.constant 0.11875 : f32 // 0.95 / N
        %tanh = math.tanh %A_ : f32
        %a = arith.mulf %scale, %tanh : f32
        %Bx = arith.mulf %B_, %x_ : f32
        %u = ssm.sum [4] %Bx : f32
        ssm.yield %a, %u : f32, f32
    } read {
      ^bb0(%A_: f32, %B_: f32, %C_: f32, %x_: f32, %h: f32, %reset: i1):
        %Ch = arith.mulf %C_, %h : f32
        %y_ = ssm.sum [2] %Ch : f32
        ssm.yield %y_ : f32
    }

    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.05, 0.05> : tensor<32x32xf32>
    %w = ssm.linear %o, %out : (!hidden, tensor<32x32xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : tensor<32xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
