//===- MambaSpecWriter.cpp - the spec of a Mamba language model
//----------------------------------------------------===//
#include "adjc/Import/MambaSpecWriter.h"

#include <array>
#include <charconv>
#include <cmath>

namespace adjc {
namespace {

/// A real number as MLIR's parser takes it: shortest that reads back the same, with a decimal point.
std::string real(double value) {
  std::array<char, 64> buffer;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find('.') == std::string::npos)
    text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

std::string weights(std::initializer_list<int64_t> shape) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + "f32>";
}

/// Activations: batch, tokens and the given channels.
std::string activations(int64_t channels) { return "tensor<?x?x" + std::to_string(channels) + "xf32>"; }

std::string uniform(double bound) { return "#ssm.init<uniform, " + real(-bound) + ", " + real(bound) + ">"; }

class Writer {
public:
  Writer(const MambaConfig &config) : config(config) {}

  std::string model(const std::string &name) {
    const int64_t hidden = config.hiddenSize;
    line("ssm.model @" + name + "(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {");
    indent = 2;
    const std::string table = weights({config.vocabSize, hidden});
    parameter("table", "backbone.embeddings.weight", normal(), table);
    line("%embedded = ssm.embedding %tokens, %table : (tensor<?x?xi32>, " + table + ") -> " + activations(hidden));
    line("%stack = ssm.repeat " + std::to_string(config.layers) +
         " iter(%residual = %embedded : " + activations(hidden) + ") {");
    indent = 4;
    layer();
    indent = 2;
    line("}");
    norm("normed", "stack", "backbone.norm_f.weight");
    if (!config.tieWordEmbeddings)
      parameter("head", "lm_head.weight", normal(), table);
    const std::string head = config.tieWordEmbeddings ? "%table" : "%head";
    line("%loss = ssm.lm_loss %normed, " + head + ", %targets : (" + activations(hidden) + ", " + table +
         ", tensor<?x?xi32>) -> tensor<f32>");
    line("ssm.return %loss : tensor<f32>");
    indent = 0;
    line("}");
    return std::move(text);
  }

private:
  const MambaConfig &config;
  std::string text;
  int indent = 0;

  void line(const std::string &content) { text += std::string(indent, ' ') + content + "\n"; }

  std::string normal() const { return "#ssm.init<normal, 0.0, " + real(config.initializerRange) + ">"; }

  void parameter(const std::string &value, const std::string &name, const std::string &init, const std::string &type) {
    line("%" + value + " = ssm.parameter \"" + name + "\" " + init + " : " + type);
  }

  void norm(const std::string &result, const std::string &operand, const std::string &name) {
    const std::string type = activations(config.hiddenSize), weight = weights({config.hiddenSize});
    parameter(result + "_weight", name, "#ssm.init<ones>", weight);
    line("%" + result + " = ssm.rms_norm %" + operand + ", %" + result + "_weight eps " +
         real(config.layerNormEpsilon) + " : (" + type + ", " + weight + ") -> " + type);
  }

  /// result = operand W^T (+ bias), both parameters named after the projection.
  void linear(const std::string &result, const std::string &operand, const std::string &projection, int64_t in,
              int64_t out, const std::string &init, bool hasBias) {
    const std::string prefix = "backbone.layers.{layer}.mixer." + projection;
    const std::string weight = weights({out, in}), bias = weights({out});
    parameter(projection, prefix + ".weight", init, weight);
    if (hasBias)
      parameter(projection + "_bias", prefix + ".bias", "#ssm.init<zeros>", bias);
    line("%" + result + " = ssm.linear %" + operand + ", %" + projection +
         (hasBias ? ", %" + projection + "_bias" : "") + " : (" + activations(in) + ", " + weight +
         (hasBias ? ", " + bias : "") + ") -> " + activations(out));
  }

  void layer() {
    const int64_t hidden = config.hiddenSize, inner = config.intermediateSize;
    norm("x", "residual", "backbone.layers.{layer}.norm.weight");
    linear("xz", "x", "in_proj", hidden, 2 * inner, normal(), config.useBias);
    line("%u, %z = ssm.split %xz : " + activations(2 * inner) + " -> " + activations(inner) + ", " +
         activations(inner));
    convolution();
    scan();
    // PyTorch's default for a linear layer, which transformers keeps for this one.
    double bound = 1 / std::sqrt(static_cast<double>(inner));
    if (config.rescalePrenormResidual)
      bound /= std::sqrt(static_cast<double>(config.layers));
    linear("out", "y", "out_proj", inner, hidden, uniform(bound), config.useBias);
    line("%next = ssm.residual %residual, %out : " + activations(hidden));
    line("ssm.yield %next : " + activations(hidden));
  }

  void convolution() {
    const int64_t inner = config.intermediateSize;
    const std::string type = activations(inner), weight = weights({inner, 1, config.convKernel}),
                      bias = weights({inner});
    const std::string prefix = "backbone.layers.{layer}.mixer.conv1d";
    parameter("conv", prefix + ".weight", uniform(1 / std::sqrt(static_cast<double>(config.convKernel))), weight);
    if (config.useConvBias)
      parameter("conv_bias", prefix + ".bias", "#ssm.init<zeros>", bias);
    line(std::string("%mixed = ssm.conv1d %u, %conv") + (config.useConvBias ? " bias %conv_bias" : "") + " : (" + type +
         ", " + weight + (config.useConvBias ? ", " + bias : "") + ") -> " + type);
    line("%v = ssm.silu %mixed : " + type);
  }

  void scan() {
    const int64_t inner = config.intermediateSize, state = config.stateSize, rank = config.timeStepRank;
    const std::string prefix = "backbone.layers.{layer}.mixer.";
    const std::string type = activations(inner), stateType = activations(state);
    linear("ssm", "v", "x_proj", inner, rank + 2 * state, normal(), false);
    line("%rank, %B, %C = ssm.split %ssm : " + activations(rank + 2 * state) + " -> " + activations(rank) + ", " +
         stateType + ", " + stateType);
    const double bound = config.timeStepScale / std::sqrt(static_cast<double>(rank));
    linear("dt", "rank", "dt_proj", rank, inner,
           config.timeStepInit == TimeStepInit::Random ? uniform(bound) : "#ssm.init<constant, " + real(bound) + ">",
           false);
    parameter("dt_bias", prefix + "dt_proj.bias",
              "#ssm.init<dt_bias, " + real(config.timeStepMin) + ", " + real(config.timeStepMax) + ", " +
                  real(config.timeStepFloor) + ">",
              weights({inner}));
    parameter("A_log", prefix + "A_log", "#ssm.init<a_log>", weights({inner, state}));
    parameter("D", prefix + "D", "#ssm.init<ones>", weights({inner}));
    line("%y = ssm.selective_scan %v, %dt, %A_log, %B, %C skip %D gate %z dt_bias %dt_bias");
    line("    : (" + type + ", " + type + ", " + weights({inner, state}) + ", " + stateType + ", " + stateType + ", " +
         weights({inner}) + ", " + type + ", " + weights({inner}) + ") -> " + type);
  }
};

} // namespace

std::string writeMambaSpec(const MambaConfig &config, const std::string &name) { return Writer(config).model(name); }

} // namespace adjc
