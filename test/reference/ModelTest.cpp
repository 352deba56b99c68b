// Whole models: finite differences, continuation over calls, threads.
#include "Differences.h"

using namespace adjrt;
using namespace adjrt::reference;
using namespace adjrt::reference::test;

namespace {

struct Case {
  std::string name;
  MambaShape shape;
  std::int64_t sequences, tokens;
  bool resets;
};

class Mamba : public testing::TestWithParam<Case> {};

TEST_P(Mamba, MatchesFiniteDifferences) {
  const Case &c = GetParam();
  ModelBuilder builder = mamba(c.shape);
  auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  RandomBatch data(c.sequences, c.tokens, c.shape.vocabulary, c.resets, 5);
  expectGradientsMatchDifferences(*model, randomParameters(builder.parameters, 3), data.batch);
}

MambaShape with(std::function<void(MambaShape &)> change) {
  MambaShape shape;
  change(shape);
  return shape;
}

INSTANTIATE_TEST_SUITE_P(, Mamba,
                         testing::Values(Case{"Tied", {}, 1, 9, false}, Case{"Resets", {}, 3, 9, true},
                                         Case{"OneToken", {}, 1, 1, false},
                                         Case{"ShorterThanTheConvolution", {}, 2, 2, true},
                                         Case{"Untied", with([](auto &s) { s.tied = false; }), 2, 7, false},
                                         Case{"AllBiases",
                                              with([](auto &s) { s.linearBias = s.headBias = true, s.tied = false; }),
                                              2, 7, true},
                                         Case{"NoBias", with([](auto &s) { s.convolutionBias = false; }), 2, 7, true},
                                         Case{"GeneralScan", with([](auto &s) { s.general = true; }), 2, 7, true},
                                         Case{"WidthOne", with([](auto &s) { s.width = 1; }), 1, 5, true}),
                         [](const auto &info) { return info.param.name; });

double distance(const Tensor &a, const Tensor &b) {
  EXPECT_EQ(a.shape, b.shape);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    difference += (a.values[i] - b.values[i]) * (a.values[i] - b.values[i]);
    norm += b.values[i] * b.values[i];
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

TEST(Model, GeneralScanEqualsSelectiveScan) {
  MambaShape shape;
  ModelBuilder named = mamba(shape);
  shape.general = true;
  ModelBuilder spelled = mamba(shape);
  NamedTensors parameters = randomParameters(named.parameters, 3);
  RandomBatch data(3, 20, shape.vocabulary, true, 7);
  auto a = named.build()->valueAndGrad(parameters, data.batch),
       b = spelled.build()->valueAndGrad(parameters, data.batch);
  ASSERT_TRUE(a && b);
  EXPECT_NEAR(a->loss, b->loss, 1e-14);
  for (const auto &[name, gradient] : a->gradients)
    EXPECT_LT(distance(b->gradients.at(name), gradient), 1e-12) << name;
  for (std::size_t i = 0; i < a->finalStates.size(); ++i)
    EXPECT_LT(distance(b->finalStates[i], a->finalStates[i]), 1e-12) << i;
}

TEST(Model, ResultDoesNotDependOnThreads) {
  MambaShape shape;
  shape.hidden = 40, shape.inner = 80, shape.vocabulary = 97;
  ModelBuilder builder = mamba(shape);
  auto model = builder.build();
  NamedTensors parameters = randomParameters(builder.parameters, 3);
  RandomBatch data(3, 50, shape.vocabulary, true, 7);
  model->setThreads(1);
  auto one = model->valueAndGrad(parameters, data.batch);
  model->setThreads(5);
  auto five = model->valueAndGrad(parameters, data.batch);
  ASSERT_TRUE(one && five);
  EXPECT_EQ(one->loss, five->loss);
  for (const auto &[name, gradient] : one->gradients)
    EXPECT_EQ(five->gradients.at(name).values, gradient.values) << name;
}

/// Columns [first, last) of a batch.
struct Piece {
  std::vector<std::int32_t> inputs, targets;
  std::vector<std::uint8_t> resets;
  Batch batch;

  Piece(const Batch &of, std::int64_t first, std::int64_t last, std::int64_t counted) {
    for (std::int64_t b = 0; b < of.batch; ++b)
      for (std::int64_t t = first; t < last; ++t) {
        inputs.push_back(of.inputs[b * of.tokens + t]);
        targets.push_back(of.targets[b * of.tokens + t]);
        resets.push_back(of.resets.empty() ? 0 : of.resets[b * of.tokens + t]);
      }
    batch.batch = of.batch, batch.tokens = last - first, batch.countedTargets = counted;
    batch.inputs = inputs, batch.targets = targets, batch.resets = resets;
  }
};

class Continuation : public testing::TestWithParam<std::tuple<bool, bool>> {};

// One sequence in three calls: states travel right, then their cotangents left.
TEST_P(Continuation, EqualsOneCall) {
  MambaShape shape;
  auto [general, resets] = GetParam();
  shape.general = general;
  ModelBuilder builder = mamba(shape);
  auto model = builder.build();
  NamedTensors parameters = randomParameters(builder.parameters, 3);
  RandomBatch data(2, 17, shape.vocabulary, resets, 7);
  std::int64_t counted = std::count_if(data.targets.begin(), data.targets.end(), [](auto t) { return t != -100; });
  auto whole = model->valueAndGrad(parameters, data.batch);
  ASSERT_TRUE(whole);

  // The second piece is shorter than the convolution's tail.
  const std::int64_t ends[] = {0, 8, 10, 17};
  std::vector<std::vector<Tensor>> states = {{}};
  for (int i = 0; i < 3; ++i) {
    Piece piece(data.batch, ends[i], ends[i + 1], counted);
    piece.batch.initialStates = states.back();
    auto result = model->valueAndGrad(parameters, piece.batch);
    ASSERT_TRUE(result) << result.error().message;
    states.push_back(result->finalStates);
  }
  for (std::size_t i = 0; i < whole->finalStates.size(); ++i)
    EXPECT_LT(distance(states.back()[i], whole->finalStates[i]), 1e-13) << i;

  NamedTensors sum;
  double loss = 0;
  std::vector<Tensor> cotangents;
  for (int i = 2; i >= 0; --i) {
    Piece piece(data.batch, ends[i], ends[i + 1], counted);
    piece.batch.initialStates = states[i];
    piece.batch.finalStateCotangents = cotangents;
    auto result = model->valueAndGrad(parameters, piece.batch);
    ASSERT_TRUE(result) << result.error().message;
    loss += result->loss;
    for (const auto &[name, gradient] : result->gradients) {
      Tensor &total = sum.try_emplace(name, Tensor(gradient.shape)).first->second;
      for (std::size_t j = 0; j < gradient.values.size(); ++j)
        total.values[j] += gradient.values[j];
    }
    cotangents = result->initialStateCotangents;
  }
  EXPECT_NEAR(loss, whole->loss, 1e-13);
  for (const auto &[name, gradient] : whole->gradients)
    EXPECT_LT(distance(sum.at(name), gradient), 1e-12) << name;
  for (std::size_t i = 0; i < cotangents.size(); ++i)
    EXPECT_LT(distance(cotangents[i], whole->initialStateCotangents[i]), 1e-12) << i;
}

INSTANTIATE_TEST_SUITE_P(, Continuation, testing::Combine(testing::Bool(), testing::Bool()), [](const auto &info) {
  return std::string(std::get<0>(info.param) ? "GeneralScan" : "SelectiveScan") +
         (std::get<1>(info.param) ? "Resets" : "");
});

} // namespace
