// Griffin's recurrent block on bytes (arXiv 2402.19427, section 2.4): two branches, one through a convolution and the RG-LRU, one through GELU.
// RG-LRU, equations 1 to 4:  r = sigmoid(W_a x + b_a), i = sigmoid(W_x x + b_x), log a = 8 r log sigmoid(Lambda),
// h = a h + sqrt(1 - a^2) (i x). Where a document begins the input counts in full: the step region reads the reset flag.
!hidden = tensor<?x?x32xf32>
!inner = tensor<?x?x48xf32>
!channel = tensor<48xf32>
!square = tensor<48x48xf32>

ssm.model @rg_lru(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %table = ssm.parameter "embedding.weight" <normal, 0.0, 0.2> : tensor<256x32xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<256x32xf32>) -> !hidden

  %y = ssm.repeat 2 iter(%residual = %x : !hidden) {
    %norm = ssm.parameter "layers.{layer}.norm.weight" <ones> : tensor<32xf32>
    %n = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
    %in = ssm.parameter "layers.{layer}.in_proj.weight" <uniform, -0.17677670, 0.17677670> : tensor<96x32xf32>
    %both = ssm.linear %n, %in : (!hidden, tensor<96x32xf32>) -> tensor<?x?x96xf32>
    %u, %z = ssm.split %both : tensor<?x?x96xf32> -> !inner, !inner
    %taps = ssm.parameter "layers.{layer}.conv1d.weight" <uniform, -0.5, 0.5> : tensor<48x1x4xf32>
    %taps_bias = ssm.parameter "layers.{layer}.conv1d.bias" <uniform, -0.5, 0.5> : !channel
    %v = ssm.conv1d %u, %taps bias %taps_bias : (!inner, tensor<48x1x4xf32>, !channel) -> !inner

    %Wa = ssm.parameter "layers.{layer}.a_gate.weight" <uniform, -0.14433757, 0.14433757> : !square
    %ba = ssm.parameter "layers.{layer}.a_gate.bias" <zeros> : !channel
    %Wx = ssm.parameter "layers.{layer}.input_gate.weight" <uniform, -0.14433757, 0.14433757> : !square
    %bx = ssm.parameter "layers.{layer}.input_gate.bias" <zeros> : !channel
    %ra = ssm.linear %v, %Wa, %ba : (!inner, !square, !channel) -> !inner
    %ix = ssm.linear %v, %Wx, %bx : (!inner, !square, !channel) -> !inner
    %Lambda = ssm.parameter "layers.{layer}.Lambda" <uniform, 4.3, 9.0> : !channel // sigmoid(Lambda)^8 from 0.9 to 0.999
    %o = ssm.scan over [b, t, d] state [d] : f32
        ins(%v as [b, t, d], %ra as [b, t, d], %ix as [b, t, d], %Lambda as [d], %z as [b, t, d] : !inner, !inner, !inner, !channel, !inner)
        outs([b, t, d] : !inner) step {
      ^bb0(%v_: f32, %ra_: f32, %ix_: f32, %L: f32, %z_: f32, %reset: i1):
        %one = arith.constant 1.0 : f32
        %half = arith.constant 0.5 : f32
        %ra2 = arith.mulf %ra_, %half : f32
        %rt = math.tanh %ra2 : f32
        %r = math.fma %rt, %half, %half : f32 // sigmoid(v) = (1 + tanh(v / 2)) / 2
        %ix2 = arith.mulf %ix_, %half : f32
        %it = math.tanh %ix2 : f32
        %i = math.fma %it, %half, %half : f32
        %minus_L = arith.negf %L : f32
        %e = math.exp %minus_L : f32
        %softplus = math.log1p %e : f32 // -log sigmoid(Lambda)
        %c = arith.constant -8.0 : f32
        %rate = arith.mulf %c, %softplus : f32
        %log_a = arith.mulf %rate, %r : f32
        %a = math.exp %log_a : f32
        %log_a2 = arith.addf %log_a, %log_a : f32
        %difference = math.expm1 %log_a2 : f32 // a^2 - 1, without cancellation
        %rest = arith.negf %difference : f32
        %root = math.sqrt %rest : f32
        %scale = arith.select %reset, %one, %root : f32
        %iv = arith.mulf %i, %v_ : f32
        %input = arith.mulf %scale, %iv : f32
        ssm.yield %a, %input : f32, f32
    } read {
      ^bb0(%v_: f32, %ra_: f32, %ix_: f32, %L: f32, %z_: f32, %h: f32, %reset: i1):
        %half = arith.constant 0.5 : f32
        %root = arith.constant 0.70710678 : f32
        %scaled = arith.mulf %z_, %root : f32
        %erf = math.erf %scaled : f32
        %gate = math.fma %half, %erf, %half : f32
        %gelu = arith.mulf %z_, %gate : f32
        %gated = arith.mulf %h, %gelu : f32
        ssm.yield %gated : f32
    }
    %out = ssm.parameter "layers.{layer}.out_proj.weight" <uniform, -0.14433757, 0.14433757> : tensor<32x48xf32>
    %w = ssm.linear %o, %out : (!inner, tensor<32x48xf32>) -> !hidden
    %next = ssm.residual %residual, %w : !hidden
    ssm.yield %next : !hidden
  }

  %norm_f = ssm.parameter "norm.weight" <ones> : tensor<32xf32>
  %last = ssm.rms_norm %y, %norm_f eps 1.0e-5 : (!hidden, tensor<32xf32>) -> !hidden
  %loss = ssm.lm_loss %last, %table, %targets : (!hidden, tensor<256x32xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
