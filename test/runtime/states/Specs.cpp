#include "Specs.h"

#include <map>

namespace adjrt::test {

Spec mamba(const Shape &shape) {
  std::string text = R"({"model_type": "mamba", "use_bias": false, "use_conv_bias": true, "tie_word_embeddings": true,)"
                     R"( "expand": 2, "hidden_act": "silu", "layer_norm_epsilon": 1e-5)";
  for (const auto &[name, size] : std::map<std::string, std::int64_t>{{"vocab_size", shape.vocabulary},
                                                                      {"hidden_size", shape.hidden},
                                                                      {"state_size", shape.state},
                                                                      {"num_hidden_layers", shape.layers},
                                                                      {"time_step_rank", shape.rank},
                                                                      {"conv_kernel", shape.width}})
    text += ", \"" + name + "\": " + std::to_string(size);
  return {".json", text + "}"};
}

namespace {

/// V, H, N, R, W, L and M = R + 2 N stand for sizes where they are in braces.
constexpr const char *kRecurrences = R"(
!tokens = tensor<?x?xi32>
!x = tensor<?x?x{H}xf32>
!n = tensor<?x?x{N}xf32>

ssm.model @recurrences(%tokens: !tokens, %targets: !tokens) {
  %table = ssm.parameter "embedding" <normal, 0.0, 0.7> : tensor<{V}x{H}xf32>
  %x = ssm.embedding %tokens, %table : (!tokens, tensor<{V}x{H}xf32>) -> !x

  %W = ssm.parameter "first.gate" <uniform, -0.5, 0.5> : tensor<{H}x{H}xf32>
  %rate = ssm.parameter "first.rate" <uniform, 0.2, 1.5> : tensor<{H}xf32>
  %g = ssm.linear %x, %W : (!x, tensor<{H}x{H}xf32>) -> !x
  // a = exp(-rate sigmoid(g)); a document's first token is taken whole, the others with sqrt(1 - a^2).
  %y = ssm.scan over [b, t, d] state [d] : f32
      ins(%x as [b, t, d], %g as [b, t, d], %rate as [d] : !x, !x, tensor<{H}xf32>) outs([b, t, d] : !x) step {
  ^bb0(%v: f32, %gate: f32, %r: f32, %reset: i1):
    %one = arith.constant 1.0 : f32
    %minus = arith.negf %gate : f32
    %e = math.exp %minus : f32
    %f = arith.addf %e, %one : f32
    %s = arith.divf %r, %f : f32
    %l = arith.negf %s : f32
    %a = math.exp %l : f32
    %ll = arith.addf %l, %l : f32
    %less = math.expm1 %ll : f32
    %rest = arith.negf %less : f32
    %root = math.sqrt %rest : f32
    %share = arith.select %reset, %one, %root : f32
    %u = arith.mulf %share, %v : f32
    ssm.yield %a, %u : f32, f32
  } read {
  ^bb0(%v: f32, %gate: f32, %r: f32, %h: f32, %reset: i1):
    %t = math.tanh %h : f32
    %o = arith.addf %t, %v : f32
    ssm.yield %o : f32
  }

  %z = ssm.repeat {L} iter(%residual = %y : !x) {
    %norm = ssm.parameter "layers.{layer}.norm" <ones> : tensor<{H}xf32>
    %in = ssm.rms_norm %residual, %norm eps 1.0e-5 : (!x, tensor<{H}xf32>) -> !x
    %taps = ssm.parameter "layers.{layer}.taps" <uniform, -0.6, 0.6> : tensor<{H}x1x{W}xf32>
    %mixed = ssm.conv1d %in, %taps : (!x, tensor<{H}x1x{W}xf32>) -> !x
    %select = ssm.parameter "layers.{layer}.select" <uniform, -0.5, 0.5> : tensor<{M}x{H}xf32>
    %all = ssm.linear %mixed, %select : (!x, tensor<{M}x{H}xf32>) -> tensor<?x?x{M}xf32>
    %low, %B, %C = ssm.split %all : tensor<?x?x{M}xf32> -> tensor<?x?x{R}xf32>, !n, !n
    %up = ssm.parameter "layers.{layer}.up" <uniform, -0.7, 0.7> : tensor<{H}x{R}xf32>
    %dt = ssm.linear %low, %up : (tensor<?x?x{R}xf32>, tensor<{H}x{R}xf32>) -> !x
    %A = ssm.parameter "layers.{layer}.A" <uniform, -1.0, 1.0> : tensor<{H}x{N}xf32>
    %o = ssm.scan over [b, t, d, n] state [d, n] : f32
        ins(%mixed as [b, t, d], %dt as [b, t, d], %A as [d, n], %B as [b, t, n], %C as [b, t, n]
            : !x, !x, tensor<{H}x{N}xf32>, !n, !n) outs([b, t, d] : !x) step {
    ^bb0(%v: f32, %d: f32, %a: f32, %bn: f32, %cn: f32, %reset: i1):
      %tanh = math.tanh %d : f32
      %rate2 = math.exp %a : f32
      %one = arith.constant 1.0 : f32
      %open = arith.addf %one, %tanh : f32
      %power = arith.mulf %open, %rate2 : f32
      %neg = arith.negf %power : f32
      %decay = math.exp %neg : f32
      %vb = arith.mulf %v, %bn : f32
      %u = arith.mulf %vb, %open : f32
      ssm.yield %decay, %u : f32, f32
    } read {
    ^bb0(%v: f32, %d: f32, %a: f32, %bn: f32, %cn: f32, %h: f32, %reset: i1):
      %p = arith.mulf %cn, %h : f32
      %sum = ssm.sum [3] %p : f32
      %o2 = arith.addf %sum, %v : f32
      ssm.yield %o2 : f32
    }
    %next = ssm.residual %residual, %o : !x
    ssm.yield %next : !x
  }

  %head = ssm.parameter "head" <uniform, -0.7, 0.7> : tensor<{V}x{H}xf32>
  %bias = ssm.parameter "head.bias" <uniform, -0.3, 0.3> : tensor<{V}xf32>
  %loss = ssm.lm_loss %z, %head, %targets bias %bias : (!x, tensor<{V}x{H}xf32>, !tokens, tensor<{V}xf32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}
)";

} // namespace

Spec recurrences(const Shape &shape) {
  std::string text = kRecurrences;
  for (const auto &[name, size] : std::map<std::string, std::int64_t>{{"{V}", shape.vocabulary},
                                                                      {"{H}", shape.hidden},
                                                                      {"{N}", shape.state},
                                                                      {"{R}", shape.rank},
                                                                      {"{W}", shape.width},
                                                                      {"{L}", shape.layers},
                                                                      {"{M}", shape.rank + 2 * shape.state}})
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;)
      text.replace(at, name.size(), std::to_string(size));
  return {".mlir", text};
}

} // namespace adjrt::test
