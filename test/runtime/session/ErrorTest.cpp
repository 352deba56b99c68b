// Every message of the session.
#include "SmallModel.h"
#include "TestDevice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace adjrt;
using namespace adjrt::test;

namespace {

template <typename Result> void expectError(const Result &result, ErrorKind kind, const std::string &text) {
  ASSERT_FALSE(result) << "expected: " << text;
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

class Errors : public testing::Test {
protected:
  void expectInvalid(const GradientInputs &inputs, const std::string &text) {
    expectError(session->valueAndGrad(inputs), ErrorKind::InvalidInput, text);
    EXPECT_FALSE(session->getGradient("w", std::span<float>()));
  }

  SmallCase example{2, 10, 1, true};
  std::unique_ptr<Session> session = openSmall({2, 4, 16, "device"});
};

TEST_F(Errors, TokensAndTargetsOutsideTheVocabulary) {
  example.ids[13] = kVocabulary;
  expectInvalid(example.inputs(), "token 11 of sequence 1 at position 3 is outside the vocabulary of 11");
  example.ids[13] = -1;
  expectInvalid(example.inputs(), "token -1 of sequence 1 at position 3");
  expectError(session->forward(example.inputs()), ErrorKind::InvalidInput, "token -1 of sequence 1");
  example.ids[13] = 0;
  example.targets[7] = -99;
  expectInvalid(example.inputs(), "target -99 of sequence 0 at position 7");
  example.targets[7] = kVocabulary;
  expectInvalid(example.inputs(), "target 11 of sequence 0 at position 7");
}

TEST_F(Errors, NoCountedTarget) {
  std::fill(example.targets.begin(), example.targets.end(), kIgnoredTarget);
  expectInvalid(example.inputs(), "no target is counted");
  GradientInputs inputs = example.inputs();
  inputs.totalTargets = 5; // the other calls' targets count
  auto result = session->valueAndGrad(inputs);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->loss, 0);
}

TEST_F(Errors, Totals) {
  GradientInputs inputs = example.inputs();
  inputs.totalTargets = 1;
  expectInvalid(inputs, "a total of 1 counted targets, but this call alone has");
  inputs.totalTargets = -1;
  expectInvalid(inputs, "a total of -1");
}

TEST_F(Errors, Accumulation) {
  GradientInputs inputs = example.inputs();
  inputs.totalTargets = 2 * example.counted;
  inputs.accumulate = true;
  expectError(session->valueAndGrad(inputs), ErrorKind::Failed, "there are no gradients to accumulate into");
  inputs.accumulate = false;
  ASSERT_TRUE(session->valueAndGrad(inputs));
  inputs.accumulate = true;
  for (std::int64_t total : {std::int64_t(0), 2 * example.counted + 1}) {
    GradientInputs other = inputs;
    other.totalTargets = total;
    expectError(session->valueAndGrad(other), ErrorKind::InvalidInput,
                "but the calls to accumulate into had " + std::to_string(2 * example.counted));
  }
  ASSERT_TRUE(session->valueAndGrad(inputs)); // what was refused changed nothing
  expectError(session->valueAndGrad(inputs), ErrorKind::InvalidInput,
              "this call and those to accumulate into have " + std::to_string(3 * example.counted));
  ASSERT_TRUE(session->adamwStep({}));
  std::fill(example.targets.begin(), example.targets.end(), kIgnoredTarget);
  expectError(session->valueAndGrad(inputs), ErrorKind::Failed, "there are no gradients to accumulate into");
}

TEST_F(Errors, Resets) {
  example.resets[12] = 2;
  expectInvalid(example.inputs(), "reset 2 of sequence 1 at position 2 is neither 0 nor 1");
}

TEST_F(Errors, Shapes) {
  GradientInputs inputs = example.inputs();
  inputs.batch = 3;
  expectInvalid(inputs, "compile it with --batch=3");
  inputs = example.inputs();
  inputs.tokens = 17;
  expectInvalid(inputs, "longer than the 16 that the module was planned for; compile it with --context=17");
  inputs.tokens = 0;
  expectInvalid(inputs, "a sequence of 0 tokens");
  inputs = example.inputs();
  inputs.inputs = {};
  expectInvalid(inputs, "there are no tokens");
  inputs = example.inputs();
  inputs.targets = {};
  expectInvalid(inputs, "there are no targets");
  expectError(session->reserve(17), ErrorKind::InvalidInput, "--context=17");
  expectError(session->arenaBytes(17), ErrorKind::InvalidInput, "--context=17");
  expectError(session->predictedPeakBytes(-1), ErrorKind::InvalidInput, "a sequence of -1 tokens");
}

TEST_F(Errors, Boundaries) {
  const std::vector<std::byte> wrong(12), right(8);
  GradientInputs inputs = example.inputs();
  inputs.initialStates = wrong;
  expectInvalid(inputs, "initial states of 12 bytes; a boundary of this module has 8");
  inputs = example.inputs();
  inputs.finalCotangents = wrong;
  expectInvalid(inputs, "final cotangents of 12 bytes");
  std::vector<std::byte> out(8), small(4);
  expectError(session->getFinalStates(out), ErrorKind::Failed, "there are no final states");
  expectError(session->getInitialCotangents(out), ErrorKind::Failed, "there are no initial-state cotangents");
  ASSERT_TRUE(session->valueAndGrad(example.inputs()));
  expectError(session->getFinalStates(small), ErrorKind::InvalidInput, "room for 4 bytes");
}

TEST_F(Errors, Parameters) {
  std::vector<float> values(12);
  expectError(session->setParameter("v", values), ErrorKind::InvalidInput, "parameter 'v' is not one of test.adjm");
  expectError(session->setParameter("w", values), ErrorKind::InvalidInput, "parameter 'w': elements 0 to 12 of 11");
  expectError(session->getParameter("w", std::span(values).first(2), 10), ErrorKind::InvalidInput,
              "elements 10 to 12 of 11");
  expectError(session->getGradient("w", values), ErrorKind::Failed, "no gradients before valueAndGrad");
  EXPECT_TRUE(session->setParameter("w", std::span(values).first(1), 10));
}

TEST_F(Errors, ALossThatIsNotFiniteIsPlaced) {
  // The token 7 first occurs where it is put; w[7] is not finite.
  for (std::int32_t &id : example.ids)
    id = id == 7 ? 0 : id;
  example.ids[10 + 2] = example.ids[6] = 7;
  for (std::int32_t &target : example.targets)
    target = target == kIgnoredTarget ? 0 : target;
  std::vector<float> weights = smallWeights();
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    weights[7] = bad;
    ASSERT_TRUE(session->setParameter("w", weights));
    expectError(session->valueAndGrad(example.inputs()), ErrorKind::Failed, "first happened at token 2 of sequence 1");
    expectError(session->adamwStep({}), ErrorKind::Failed, "no gradients");
  }
}

TEST(Open, ASequenceAboveTheContext) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  auto session = openSmall({1, 4, 64});
  SessionOptions options;
  options.tokens = 65;
  // The same module again, on another device.
  std::shared_ptr<const Module> module(&session->module(), [](const Module *) {});
  expectError(Session::open(module, std::move(device), options), ErrorKind::InvalidInput, "--context=65");
}

} // namespace
