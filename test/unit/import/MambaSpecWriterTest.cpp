// The spec that a config becomes: parameters, their shapes and initial values. That it parses is LoadSpecTest's to
// show.
#include "adjc/Import/MambaSpecWriter.h"

#include <gtest/gtest.h>
#include <map>
#include <regex>

using namespace adjc;

namespace {

/// Name of each parameter -> initialiser and type, as the spec writes them.
std::map<std::string, std::string> parametersOf(const std::string &spec) {
  std::map<std::string, std::string> parameters;
  const std::regex pattern("ssm\\.parameter \"([^\"]*)\" <([^>]*)> : ([^\n]*)");
  for (auto it = std::sregex_iterator(spec.begin(), spec.end(), pattern); it != std::sregex_iterator(); ++it)
    EXPECT_TRUE(parameters.insert({(*it)[1].str(), (*it)[2].str() + " " + (*it)[3].str()}).second) << (*it)[1].str();
  return parameters;
}

MambaConfig odd() {
  MambaConfig config;
  config.vocabSize = 97;
  config.hiddenSize = 40;
  config.stateSize = 5;
  config.layers = 4;
  config.timeStepRank = 4;
  config.intermediateSize = 64;
  return config;
}

TEST(MambaSpecWriter, ParametersCarryHuggingFaceNames) {
  const std::map<std::string, std::string> expected = {
      {"backbone.embeddings.weight", "normal, 0.0, 0.1 tensor<97x40xf32>"},
      {"backbone.layers.{layer}.norm.weight", "ones tensor<40xf32>"},
      {"backbone.layers.{layer}.mixer.in_proj.weight", "normal, 0.0, 0.1 tensor<128x40xf32>"},
      {"backbone.layers.{layer}.mixer.conv1d.weight", "uniform, -0.5, 0.5 tensor<64x1x4xf32>"},
      {"backbone.layers.{layer}.mixer.conv1d.bias", "zeros tensor<64xf32>"},
      {"backbone.layers.{layer}.mixer.x_proj.weight", "normal, 0.0, 0.1 tensor<14x64xf32>"},
      {"backbone.layers.{layer}.mixer.dt_proj.weight", "uniform, -0.5, 0.5 tensor<64x4xf32>"},
      {"backbone.layers.{layer}.mixer.dt_proj.bias", "dt_bias, 0.001, 0.1, 1.0e-04 tensor<64xf32>"},
      {"backbone.layers.{layer}.mixer.A_log", "a_log tensor<64x5xf32>"},
      {"backbone.layers.{layer}.mixer.D", "ones tensor<64xf32>"},
      {"backbone.layers.{layer}.mixer.out_proj.weight", "uniform, -0.125, 0.125 tensor<40x64xf32>"},
      {"backbone.norm_f.weight", "ones tensor<40xf32>"}};
  EXPECT_EQ(parametersOf(writeMambaSpec(odd())), expected);
}

TEST(MambaSpecWriter, OptionalParameters) {
  MambaConfig config = odd();
  config.useBias = true;
  config.useConvBias = false;
  config.tieWordEmbeddings = false;
  auto parameters = parametersOf(writeMambaSpec(config));
  EXPECT_EQ(parameters["backbone.layers.{layer}.mixer.in_proj.bias"], "zeros tensor<128xf32>");
  EXPECT_EQ(parameters["backbone.layers.{layer}.mixer.out_proj.bias"], "zeros tensor<40xf32>");
  EXPECT_EQ(parameters["lm_head.weight"], "normal, 0.0, 0.1 tensor<97x40xf32>");
  EXPECT_EQ(parameters.count("backbone.layers.{layer}.mixer.conv1d.bias"), 0u);
}

TEST(MambaSpecWriter, InitialisationFields) {
  MambaConfig config = odd();
  config.timeStepInit = TimeStepInit::Constant;
  config.timeStepScale = 3;
  config.rescalePrenormResidual = true;
  auto parameters = parametersOf(writeMambaSpec(config));
  EXPECT_EQ(parameters["backbone.layers.{layer}.mixer.dt_proj.weight"], "constant, 1.5 tensor<64x4xf32>");
  EXPECT_EQ(parameters["backbone.layers.{layer}.mixer.out_proj.weight"], "uniform, -0.0625, 0.0625 tensor<40x64xf32>");
}

} // namespace
