// adj-run check certifies what is right and refuses what is wrong.
#include "AdjRunFixture.h"
#include "FiniteDifferences.h"
#include "ReferenceInputs.h"

#include <cmath>

using namespace adjrun::test;
using namespace adjrt;

namespace {
TEST_F(AdjRun, CheckCertifiesTheReference) {
  for (bool tied : {false, true}) {
    Outcome outcome = run({"check", module({.tied = tied}), "--device", "reference", "--resets"});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_NE(outcome.out.find("\ncertified: " + std::to_string(tied ? 1 : 2) + " gradients"), std::string::npos)
        << outcome.out;
    EXPECT_NE(outcome.out.find("T = 17"), std::string::npos) << "three shards and a bit: " << outcome.out;
  }
}

TEST_F(AdjRun, CheckMissesWrongGradients) {
  // The module's programs are empty: its loss and gradients are 0.
  Outcome outcome = run({"check", module(), "--tokens", "9"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("MISSED"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("NOT CERTIFIED"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("3 of 3 bounds were missed"), std::string::npos) << outcome.err;
}

TEST_F(AdjRun, CheckErrors) {
  expectFailure(2, {"check", module(), "--tokens", "65"}, {"--tokens 65", "at most 64"});
  expectFailure(2, {"check", module(), "--tokens", "-1"}, {"--tokens"});
  onFakeGpu(ADJRT_FAKE_CUDA);
  expectFailure(2, {"check", module(), "--device", "cuda:1"}, {"device 'cuda:1': there is no cuda:1"});
}

TEST_F(AdjRun, FiniteDifferencesTellRightFromWrong) {
  auto loaded = Module::load(module());
  ASSERT_TRUE(loaded) << loaded.error().message;
  auto model = adjrun::openReferenceModel(**loaded, 1);
  ASSERT_TRUE(model) << model.error().message;
  reference::NamedTensors parameters;
  for (const char *name : {"backbone.embeddings.weight", "lm_head.weight"}) {
    reference::Tensor tensor({10, 3});
    for (std::size_t i = 0; i != 30; ++i)
      tensor.values[i] = std::sin(static_cast<double>(i) + (name[0] == 'l' ? 40 : 0));
    parameters[name] = tensor;
  }
  TokenStream stream = TokenStream::fromMemory(1, 5, {1, 2, 3, 4, 5, 6});
  auto inputs = adjrun::ReferenceInputs::read(stream);
  ASSERT_TRUE(inputs) << inputs.error().message;
  auto result = model->valueAndGrad(parameters, inputs->batch());
  ASSERT_TRUE(result) << result.error().message;
  reference::NamedTensors before = parameters;
  auto right = adjrun::checkSlope(*model, parameters, inputs->batch(), result->gradients, {"lm_head.weight"}, 1);
  ASSERT_TRUE(right);
  EXPECT_TRUE(right->ok) << right->relative;
  EXPECT_LT(right->relative, 1e-7);
  EXPECT_EQ(parameters.at("lm_head.weight").values, before.at("lm_head.weight").values);
  // One element wrong by a thousandth of the gradient's norm.
  double &element = result->gradients.at("lm_head.weight").values[4];
  element += 1e-3;
  auto wrong = adjrun::checkSlope(*model, parameters, inputs->batch(), result->gradients, {"lm_head.weight"}, 1);
  ASSERT_TRUE(wrong);
  EXPECT_FALSE(wrong->ok) << wrong->relative;
}
} // namespace
