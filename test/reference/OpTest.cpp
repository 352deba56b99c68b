// Named ops one by one, with every optional operand there and missing, against finite differences.
#include "Differences.h"
#include "MlpModel.h"
#include "ScanModels.h"

using namespace adjrt;
using namespace adjrt::reference;
using namespace adjrt::reference::test;

namespace {

constexpr std::int64_t kChannels = 4, kStates = 3;

void expectMatches(const std::function<int(ModelBuilder &, int)> &body, bool resets = true, double scale = 0.5) {
  ModelBuilder builder = languageModel(kChannels, body);
  auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  RandomBatch data(2, 6, 11, resets, 5);
  expectGradientsMatchDifferences(*model, randomParameters(builder.parameters, 3, scale), data.batch);
}

TEST(Op, RmsNorm) {
  expectMatches([](ModelBuilder &m, int x) {
    return m.op("ssm.rms_norm", {x, m.parameter("norm", {kChannels})}, {Attr::ofReal("eps", 0.1)});
  });
}

TEST(Op, Linear) {
  for (bool bias : {false, true})
    expectMatches([&](ModelBuilder &m, int x) {
      int wide = m.op("ssm.linear", {x, m.parameter("up", {7, kChannels})});
      std::vector<int> operands = {wide, m.parameter("down", {kChannels, 7})};
      if (bias)
        operands.push_back(m.parameter("bias", {kChannels}));
      return m.op("ssm.linear", operands);
    });
}

TEST(Op, Conv1d) {
  for (bool bias : {false, true})
    for (std::int64_t width : {1, 2, 4, 9})
      for (bool resets : {false, true})
        expectMatches(
            [&](ModelBuilder &m, int x) {
              std::vector<int> operands = {x, m.parameter("weight", {kChannels, 1, width})};
              if (bias)
                operands.push_back(m.parameter("bias", {kChannels}));
              return m.op("ssm.conv1d", operands);
            },
            resets);
}

TEST(Op, SiluAndGate) {
  expectMatches([](ModelBuilder &m, int x) { return m.op("ssm.silu", {x}); }, false, 2);
  expectMatches(
      [](ModelBuilder &m, int x) {
        return m.op("ssm.gate", {x, m.op("ssm.linear", {x, m.parameter("z", {kChannels, kChannels})})});
      },
      false, 2);
  expectMatches([](ModelBuilder &m, int x) { return m.op("ssm.gate", {x, x}); }, false, 2);
}

TEST(Op, Mlp) {
  for (const char *activation : {"silu", "gelu", "gelu_pytorch_tanh"})
    for (bool gated : {false, true})
      for (bool biased : {false, true})
        expectMatches([&](ModelBuilder &m, int x) { return mlp(m, x, {kChannels, 7, activation, gated, biased}); },
                      false, 1.5);
}

TEST(Op, SplitWithUnusedResult) {
  expectMatches([](ModelBuilder &m, int x) {
    int wide = m.op("ssm.linear", {x, m.parameter("up", {2 * kChannels + 1, kChannels})});
    auto parts = m.node("ssm.split", {wide}, {Attr::ofIntegers("sizes", {kChannels, 1, kChannels})}, 3);
    return m.op("ssm.residual", {parts[0], parts[2]});
  });
}

TEST(Op, ReshapeThereAndBack) {
  expectMatches([](ModelBuilder &m, int x) {
    int heads = m.op("ssm.reshape", {x}, {Attr::ofIntegers("sizes", {2, 1, kChannels / 2})});
    return m.op("ssm.residual",
                {x, m.op("ssm.reshape", {m.op("ssm.silu", {heads})}, {Attr::ofIntegers("sizes", {kChannels})})});
  });
}

TEST(Op, ResidualOfOneValueTwice) {
  expectMatches([](ModelBuilder &m, int x) { return m.op("ssm.residual", {x, x}); });
}

class SelectiveScan : public testing::TestWithParam<int> {};

TEST_P(SelectiveScan, MatchesFiniteDifferences) {
  int present = GetParam();
  expectMatches(
      [&](ModelBuilder &m, int x) {
        auto project = [&](const char *name, std::int64_t outs) {
          return m.op("ssm.linear", {x, m.parameter(name, {outs, kChannels})});
        };
        std::vector<int> operands = {x, project("dt", kChannels), m.parameter("A_log", {kChannels, kStates}),
                                     project("B", kStates), project("C", kStates)};
        std::vector<std::int64_t> segments = {1, 1, 1, 1, 1, present & 1, present >> 1 & 1, present >> 2 & 1};
        if (segments[5])
          operands.push_back(m.parameter("D", {kChannels}));
        if (segments[6])
          operands.push_back(project("z", kChannels));
        if (segments[7])
          operands.push_back(m.parameter("dt_bias", {kChannels}));
        return m.op("ssm.selective_scan", operands, {Attr::ofIntegers("operand_segments", segments)});
      },
      true, 0.8);
}

INSTANTIATE_TEST_SUITE_P(OptionalOperands, SelectiveScan, testing::Range(0, 8));

// The final state is affine in the initial one, h_T = F h_0 + f, and the reverse sweep applies F's transpose: <F v, c>
// = <v, F^T c> to rounding.
TEST(Op, StateMapsAreTransposes) {
  for (bool general : {false, true}) {
    MambaShape shape;
    shape.layers = 1, shape.general = general;
    ModelBuilder builder = mamba(shape);
    auto model = builder.build();
    NamedTensors parameters = randomParameters(builder.parameters, 3);
    RandomBatch data(2, 5, shape.vocabulary, false, 7);
    std::vector<Tensor> zero = {Tensor({2, shape.width - 1, shape.inner}), Tensor({2, shape.inner, shape.state})};
    std::vector<Tensor> v = zero, c = zero;
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < v[1].values.size(); ++i)
      v[1].values[i] = normal(random), c[1].values[i] = normal(random);
    auto run = [&](const std::vector<Tensor> &initial, const std::vector<Tensor> &cotangents) {
      Batch batch = data.batch;
      batch.initialStates = initial;
      batch.finalStateCotangents = cotangents;
      return *model->valueAndGrad(parameters, batch);
    };
    Result at0 = run(zero, zero), atV = run(v, zero), withC = run(zero, c);
    double forward = 0, reverse = 0;
    for (std::size_t i = 0; i < v[1].values.size(); ++i) {
      forward += (atV.finalStates[1].values[i] - at0.finalStates[1].values[i]) * c[1].values[i];
      reverse += v[1].values[i] * (withC.initialStateCotangents[1].values[i] - at0.initialStateCotangents[1].values[i]);
    }
    EXPECT_GT(std::abs(forward), 1e-3);
    EXPECT_NEAR(forward, reverse, 1e-13 * std::abs(forward) + 1e-14);
  }
}

TEST(Op, UnseenRowsAndFirstTokensGetExactZeros) {
  MambaShape shape;
  shape.tied = false;
  ModelBuilder builder = mamba(shape);
  auto model = builder.build();
  NamedTensors parameters = randomParameters(builder.parameters, 3);
  std::vector<std::int32_t> inputs = {4}, targets = {2};
  Batch batch;
  batch.tokens = 1, batch.inputs = inputs, batch.targets = targets;
  auto result = model->valueAndGrad(parameters, batch);
  ASSERT_TRUE(result);
  const Tensor &table = result->gradients.at("backbone.embeddings.weight");
  for (std::int64_t row = 0; row < shape.vocabulary; ++row)
    for (std::int64_t c = 0; c < shape.hidden; ++c)
      EXPECT_EQ(table.values[row * shape.hidden + c] == 0, row != 4);
  // One token sees no earlier state, so the transition doesn't matter.
  for (double value : result->gradients.at("backbone.layers.0.mixer.A_log").values)
    EXPECT_EQ(value, 0);
}

} // namespace
