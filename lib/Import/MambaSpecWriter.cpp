//===- MambaSpecWriter.cpp - the spec of a Mamba language model -------------------------------------------------===//
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

std::string uniform(double bound) { return "<uniform, " + real(-bound) + ", " + real(bound) + ">"; }

/// Activations of some width, and how the spec writes their type.
struct Channels {
  int64_t size;
  std::string type;
};

class Writer {
public:
  Writer(const MambaConfig &config) : config(config) {}

  std::string model(const std::string &name) {
    line("!hidden = " + activations(config.hiddenSize));
    line("!inner = " + activations(config.intermediateSize));
    line("!state = " + activations(config.stateSize));
    line("");
    line("ssm.model @" + name + "(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {");
    indent = 2;
    const std::string table = weights({config.vocabSize, config.hiddenSize});
    parameter("table", "backbone.embeddings.weight", normal(), table);
    line("%embedded = ssm.embedding %tokens, %table : (tensor<?x?xi32>, " + table + ") -> !hidden");
    line("%stack = ssm.repeat " + std::to_string(config.layers) + " iter(%residual = %embedded : !hidden) {");
    indent = 4;
    layer();
    indent = 2;
    line("}");
    norm("normed", "stack", "backbone.norm_f.weight");
    if (!config.tieWordEmbeddings)
      parameter("head", "lm_head.weight", normal(), table);
    const std::string head = config.tieWordEmbeddings ? "%table" : "%head";
    line("%loss = ssm.lm_loss %normed, " + head + ", %targets : (!hidden, " + table +
         ", tensor<?x?xi32>) -> tensor<f32>");
    line("ssm.return %loss : tensor<f32>");
    indent = 0;
    line("}");
    return std::move(text);
  }

private:
  const MambaConfig &config;
  const Channels hidden{config.hiddenSize, "!hidden"};
  const Channels inner{config.intermediateSize, "!inner"};
  std::string text;
  int indent = 0;

  void line(const std::string &content) { text += std::string(content.empty() ? 0 : indent, ' ') + content + "\n"; }

  std::string normal() const { return "<normal, 0.0, " + real(config.initializerRange) + ">"; }

  static Channels plain(int64_t size) { return {size, activations(size)}; }

  void parameter(const std::string &value, const std::string &name, const std::string &init, const std::string &type) {
    line("%" + value + " = ssm.parameter \"" + name + "\" " + init + " : " + type);
  }

  void norm(const std::string &result, const std::string &operand, const std::string &name) {
    const std::string weight = weights({config.hiddenSize});
    parameter(result + "_weight", name, "<ones>", weight);
    line("%" + result + " = ssm.rms_norm %" + operand + ", %" + result + "_weight eps " +
         real(config.layerNormEpsilon) + " : (!hidden, " + weight + ") -> !hidden");
  }

  /// result = operand W^T (+ bias), both parameters named after the projection.
  void linear(const std::string &result, const std::string &operand, const std::string &projection, const Channels &in,
              const Channels &out, const std::string &init, bool hasBias) {
    const std::string prefix = "backbone.layers.{layer}.mixer." + projection;
    const std::string weight = weights({out.size, in.size}), bias = weights({out.size});
    parameter(projection, prefix + ".weight", init, weight);
    if (hasBias)
      parameter(projection + "_bias", prefix + ".bias", "<zeros>", bias);
    line("%" + result + " = ssm.linear %" + operand + ", %" + projection +
         (hasBias ? ", %" + projection + "_bias" : "") + " : (" + in.type + ", " + weight +
         (hasBias ? ", " + bias : "") + ") -> " + out.type);
  }

  void layer() {
    norm("x", "residual", "backbone.layers.{layer}.norm.weight");
    const Channels both = plain(2 * config.intermediateSize);
    linear("xz", "x", "in_proj", hidden, both, normal(), config.useBias);
    line("%u, %z = ssm.split %xz : " + both.type + " -> !inner, !inner");
    convolution();
    scan();
    // PyTorch's default for a linear layer, which transformers keeps for this one.
    double bound = 1 / std::sqrt(static_cast<double>(config.intermediateSize));
    if (config.rescalePrenormResidual)
      bound /= std::sqrt(static_cast<double>(config.layers));
    linear("out", "y", "out_proj", inner, hidden, uniform(bound), config.useBias);
    line("%next = ssm.residual %residual, %out : !hidden");
    line("ssm.yield %next : !hidden");
  }

  void convolution() {
    const std::string weight = weights({config.intermediateSize, 1, config.convKernel});
    const std::string bias = weights({config.intermediateSize});
    const std::string prefix = "backbone.layers.{layer}.mixer.conv1d";
    parameter("conv", prefix + ".weight", uniform(1 / std::sqrt(static_cast<double>(config.convKernel))), weight);
    if (config.useConvBias)
      parameter("conv_bias", prefix + ".bias", "<zeros>", bias);
    line(std::string("%mixed = ssm.conv1d %u, %conv") + (config.useConvBias ? " bias %conv_bias" : "") +
         " : (!inner, " + weight + (config.useConvBias ? ", " + bias : "") + ") -> !inner");
    line("%v = ssm.silu %mixed : !inner");
  }

  void scan() {
    const std::string prefix = "backbone.layers.{layer}.mixer.";
    const std::string perChannel = weights({config.intermediateSize});
    const std::string perState = weights({config.intermediateSize, config.stateSize});
    const Channels rank = plain(config.timeStepRank), all = plain(config.timeStepRank + 2 * config.stateSize);
    linear("ssm", "v", "x_proj", inner, all, normal(), false);
    line("%rank, %B, %C = ssm.split %ssm : " + all.type + " -> " + rank.type + ", !state, !state");
    const double bound = config.timeStepScale / std::sqrt(static_cast<double>(config.timeStepRank));
    const bool random = config.timeStepInit == TimeStepInit::Random;
    linear("dt", "rank", "dt_proj", rank, inner, random ? uniform(bound) : "<constant, " + real(bound) + ">", false);
    const std::string range =
        real(config.timeStepMin) + ", " + real(config.timeStepMax) + ", " + real(config.timeStepFloor);
    parameter("dt_bias", prefix + "dt_proj.bias", "<dt_bias, " + range + ">", perChannel);
    parameter("A_log", prefix + "A_log", "<a_log>", perState);
    parameter("D", prefix + "D", "<ones>", perChannel);
    line("%y = ssm.selective_scan %v, %dt, %A_log, %B, %C skip %D gate %z dt_bias %dt_bias");
    line("    : (!inner, !inner, " + perState + ", !state, !state, " + perChannel + ", !inner, " + perChannel +
         ") -> !inner");
  }
};

} // namespace

std::string writeMambaSpec(const MambaConfig &config, const std::string &name) { return Writer(config).model(name); }

} // namespace adjc
