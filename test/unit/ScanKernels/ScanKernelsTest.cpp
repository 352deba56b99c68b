//===- ScanKernelsTest.cpp - the recurrence's kernels against plain loops in double -----------------------------===//
#include "ScanCases.h"

#include "gtest/gtest.h"
#include <random>

namespace {

/// Random values in `array`, and the same as variables.
ScanTensor fill(ScanArray &array, const std::string &dims, std::mt19937 &random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  ScanTensor tensor{dims, array.shape, {}};
  for (int64_t i = 0; i < array.size(); ++i) {
    array.at(i) = uniform(random);
    tensor.values.push_back(tape::variable(array.at(i)));
  }
  return tensor;
}

/// Norm of the difference over the norm; what must be zero exactly counts as an infinite difference when it is not.
double relativeError(ScanArray &found, const std::vector<double> &expected) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < found.size(); ++i) {
    difference += std::pow(found.at(i) - expected[i], 2);
    norm += expected[i] * expected[i];
  }
  if (norm == 0)
    return difference == 0 ? 0 : INFINITY;
  return std::sqrt(difference / norm);
}

std::vector<double> valuesOf(const ScanTensor &tensor) {
  std::vector<double> values;
  for (const tape::Var &value : tensor.values)
    values.push_back(value.value);
  return values;
}

std::vector<double> gradientOf(const ScanTensor &tensor, const std::vector<double> &gradients) {
  std::vector<double> values;
  for (const tape::Var &value : tensor.values)
    values.push_back(gradients[value.node]);
  return values;
}

constexpr double bound = 2e-6;

/// Forward and adjoint of one batch, everything checked.
void check(ScanKernels &kernels, const ScanModel &model, int64_t batch, int64_t tokens, int64_t resetEvery) {
  SCOPED_TRACE("batch " + std::to_string(batch) + ", tokens " + std::to_string(tokens) + ", resets every " +
               std::to_string(resetEvery));
  std::mt19937 random(17);
  tape::nodes.clear();
  ScanKernels::Run run = kernels.makeRun(batch, tokens);
  if (resetEvery)
    for (size_t i = 0; i < run.resets.size(); ++i)
      run.resets[i] = (i * 7 + 3) % resetEvery == 0;
  std::vector<ScanTensor> inputs;
  for (size_t i = 0; i < run.inputs.size(); ++i)
    inputs.push_back(fill(run.inputs[i], model.scan.inputs[i].dims, random));
  ScanTensor initial = fill(run.initial, "b" + model.scan.state, random);
  auto [outputs, final] = evaluate(model, inputs, initial, run.resets, batch, tokens);

  kernels.forward(run);
  for (size_t i = 0; i < outputs.size(); ++i)
    EXPECT_LE(relativeError(run.outputs[i], valuesOf(outputs[i])), bound) << model.scan.outputs[i].name;
  EXPECT_LE(relativeError(run.final, valuesOf(final)), bound) << "final";

  tape::Var loss = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    ScanTensor weights = fill(run.cotangents[i], outputs[i].dims, random);
    for (size_t k = 0; k < weights.values.size(); ++k)
      loss = loss + outputs[i].values[k] * tape::Var(weights.values[k].value);
  }
  ScanTensor weights = fill(run.stateCotangent, initial.dims, random);
  for (size_t k = 0; k < weights.values.size(); ++k)
    loss = loss + final.values[k] * tape::Var(weights.values[k].value);
  std::vector<double> gradients = tape::gradients(loss);

  kernels.adjoint(run);
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_LE(relativeError(run.inputCotangents[i], gradientOf(inputs[i], gradients)), bound)
        << "cotangent of " << model.scan.inputs[i].name;
  EXPECT_LE(relativeError(run.nextStateCotangent, gradientOf(initial, gradients)), bound) << "cotangent of initial";
}

void checkModel(const ScanModel &model, bool withResets, int64_t padding = 0) {
  std::unique_ptr<ScanKernels> kernels = ScanKernels::compile(model.scan, withResets, padding);
  ASSERT_TRUE(kernels);
  for (int64_t tokens : {1, 2, 16, 17, 37}) {
    check(*kernels, model, 1, tokens, 0);
    if (withResets)
      check(*kernels, model, 3, tokens, 5);
    else
      check(*kernels, model, 3, tokens, 0);
  }
}

// One vector that is not full; several, the last one full; one block; blocks of which the last is shorter, in whole
// vectors or not.
class MambaLanes : public testing::TestWithParam<int64_t> {};
TEST_P(MambaLanes, MatchesPlainLoops) { checkModel(mambaModel(GetParam(), 5), /*withResets=*/true, /*padding=*/3); }
INSTANTIATE_TEST_SUITE_P(Scan, MambaLanes, testing::Values(5, 40, 64, 80, 130));

TEST(ScanKernels, MambaWithoutResets) { checkModel(mambaModel(48, 16), /*withResets=*/false); }
TEST(ScanKernels, ScalarPerHead) { checkModel(ssdModel(3, 24, 4), /*withResets=*/true); }
TEST(ScanKernels, ScalarPerHeadInBlocks) { checkModel(ssdModel(2, 80, 3), /*withResets=*/true, /*padding=*/5); }
TEST(ScanKernels, NoFurtherStateDimension) { checkModel(gatedModel(70), /*withResets=*/true); }
TEST(ScanKernels, StridedLanesAndSeveralOutputs) { checkModel(fullRankModel(21, 3), /*withResets=*/true); }
TEST(ScanKernels, StridedLanesInBlocks) { checkModel(fullRankModel(96, 2), /*withResets=*/false, /*padding=*/1); }
TEST(ScanKernels, DenseOverLanes) { checkModel(denseModel(3, 5, 'n'), /*withResets=*/true); }
TEST(ScanKernels, DenseOverMoreThanABlock) { checkModel(denseModel(1, 70, 'n'), /*withResets=*/true); }
TEST(ScanKernels, DenseBesideLanes) { checkModel(denseModel(70, 4, 'd'), /*withResets=*/true, /*padding=*/2); }
TEST(ScanKernels, OwnDimensions) { checkModel(ownDimensionsModel(9, 5), /*withResets=*/true, /*padding=*/1); }
TEST(ScanKernels, OwnDimensionsSumOverManyLanes) { checkModel(ownDimensionsModel(130, 4), /*withResets=*/false); }

} // namespace
