#include "SmallModel.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace adjrt;
using namespace adjrt::test;

namespace {

/// Train the small model for a few steps.
std::vector<float> train(Session &session, int steps) {
  const SmallCase example(2, 24, 9, true);
  const AdamWOptions options{0.05, 0.8, 0.95, 1e-8, 0.1};
  for (int step = 0; step < steps; ++step) {
    EXPECT_TRUE(session.valueAndGrad(example.inputs()));
    EXPECT_TRUE(session.adamwStep(options));
  }
  EXPECT_EQ(session.adamwSteps(), steps);
  std::vector<float> weights(kVocabulary);
  EXPECT_TRUE(session.getParameter("w", weights));
  return weights;
}

TEST(Optimizer, FollowsTheFormulaWhetherPlannedOrNot) {
  SessionOptions fromStart;
  fromStart.optimizer = true;
  auto planned = openSmall({2, 5, 64, "device", "adamw"}), asked = openSmall({2, 5, 64}, 1, fromStart),
       late = openSmall({2, 5, 64}, 2);
  const auto weights = train(*planned, 4);
  EXPECT_EQ(weights, train(*asked, 4));
  EXPECT_EQ(weights, train(*late, 4));
  EXPECT_EQ(*planned->arenaBytes(10), *late->arenaBytes(10));
  EXPECT_NE(weights, smallWeights());
}

TEST(Optimizer, OneStepByHand) {
  auto session = openSmall({2, 5, 64});
  const SmallCase example(2, 24, 9, true);
  const auto gradient = example.expected().gradient;
  const auto weights = train(*session, 1), before = smallWeights();
  // The first step is lr * (sign of g + decay * w).
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(weights[i], before[i] - 0.05 * ((gradient[i] > 0 ? 1 : -1) + 0.1 * before[i]), 1e-4) << i;
}

TEST(Optimizer, LossFalls) {
  auto session = openSmall({2, 5, 64});
  const SmallCase example(2, 24, 9, true);
  const double before = session->valueAndGrad(example.inputs())->loss;
  train(*session, 60);
  EXPECT_LT(session->valueAndGrad(example.inputs())->loss, 0.8 * before);
}

TEST(Optimizer, StatesCannotBeReadAfterTheArenaWasLaidOutAnew) {
  auto session = openSmall({2, 5, 64});
  train(*session, 1);
  std::vector<std::byte> states(session->boundaryBytes());
  EXPECT_FALSE(session->getFinalStates(states));
}

TEST(Optimizer, RefusesWrongOptions) {
  auto session = openSmall({2, 5, 64});
  const double nan = std::nan("");
  for (const auto &[options, text] : {std::pair(AdamWOptions{-1, 0.9, 0.9, 1e-8, 0}, "learning rate"),
                                      {AdamWOptions{nan, 0.9, 0.9, 1e-8, 0}, "learning rate"},
                                      {AdamWOptions{1, 1, 0.9, 1e-8, 0}, "beta1"},
                                      {AdamWOptions{1, 0.9, -0.1, 1e-8, 0}, "beta2"},
                                      {AdamWOptions{1, 0.9, 0.9, 0, 0}, "epsilon"},
                                      {AdamWOptions{1, 0.9, 0.9, 1e-8, nan}, "weight decay"}}) {
    Status status = session->adamwStep(options);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::InvalidInput);
    EXPECT_NE(status.error().message.find(text), std::string::npos) << status.error().message;
  }
  Status status = session->adamwStep({});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::Failed);
}

} // namespace
