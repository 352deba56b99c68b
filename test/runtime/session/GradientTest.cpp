// Loss, gradients, states and cotangents of a sequence in shards, against the whole sequence in float64.
#include "SmallModel.h"
#include "TestDevice.h"

#include <gtest/gtest.h>

#include <random>

using namespace adjrt;
using namespace adjrt::test;

namespace {

std::vector<float> gradientOf(Session &session) {
  std::vector<float> values(kVocabulary);
  EXPECT_TRUE(session.getGradient("w", values));
  return values;
}

std::vector<float> finalStatesOf(Session &session, std::int64_t batch) {
  std::vector<float> values(static_cast<std::size_t>(batch));
  EXPECT_TRUE(session.getFinalStates(std::as_writable_bytes(std::span(values))));
  return values;
}

std::vector<float> initialCotangentsOf(Session &session, std::int64_t batch) {
  std::vector<float> values(static_cast<std::size_t>(batch));
  EXPECT_TRUE(session.getInitialCotangents(std::as_writable_bytes(std::span(values))));
  return values;
}

void expectNear(const std::vector<float> &got, const std::vector<double> &wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], 1e-5 * (1 + std::abs(wanted[i]))) << i;
}

TEST(Gradient, EveryShardLengthPolicyAndBatchAgreesWithTheWholeSequence) {
  for (std::int64_t batch : {1, 3})
    for (std::int64_t shard : {1, 2, 3, 5, 16, 40})
      for (const char *boundaries : {"device", "host", "binomial:1", "binomial:2", "binomial:3", "binomial:50"})
        for (std::int64_t tokens : {1, 4, 13, 16}) {
          const SmallCase example(batch, tokens, static_cast<unsigned>(tokens), tokens % 2 == 0);
          auto session = openSmall({batch, shard, 64, boundaries});
          const auto place =
              std::to_string(batch) + " " + std::to_string(shard) + " " + boundaries + " " + std::to_string(tokens);
          auto result = session->valueAndGrad(example.inputs());
          ASSERT_TRUE(result) << result.error().message << " " << place;
          const auto wanted = example.expected();
          EXPECT_NEAR(result->loss, wanted.loss, 1e-6 * wanted.loss) << place;
          EXPECT_EQ(result->countedTargets, example.counted);
          EXPECT_EQ(result->shards, (tokens + shard - 1) / shard);
          expectNear(gradientOf(*session), wanted.gradient);
          expectNear(finalStatesOf(*session, batch), wanted.finalStates);
          expectNear(initialCotangentsOf(*session, batch), wanted.initialCotangents);
        }
}

TEST(Gradient, InitialStatesAndFinalCotangents) {
  for (const char *boundaries : {"device", "host", "binomial:2"}) {
    const SmallCase example(2, 11, 3, false);
    const std::vector<float> initial{3, -4}, cotangents{0.5f, 2};
    auto session = openSmall({2, 3, 64, boundaries});
    GradientInputs inputs = example.inputs();
    inputs.initialStates = std::as_bytes(std::span(initial));
    inputs.finalCotangents = std::as_bytes(std::span(cotangents));
    inputs.totalTargets = 100;
    auto result = session->valueAndGrad(inputs);
    ASSERT_TRUE(result) << result.error().message;
    const auto wanted = example.expected(initial, cotangents, 100);
    EXPECT_NEAR(result->loss, wanted.loss, 1e-6 * wanted.loss);
    expectNear(gradientOf(*session), wanted.gradient);
    expectNear(finalStatesOf(*session, 2), wanted.finalStates);
    expectNear(initialCotangentsOf(*session, 2), wanted.initialCotangents);
  }
}

/// Where boundaries wait changes no bit: random lengths, shards and batches, one session for several of them.
TEST(Gradient, BoundaryPoliciesGiveEqualBits) {
  std::mt19937 random(3);
  const auto between = [&](std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  for (int round = 0; round < 12; ++round) {
    const std::int64_t batch = between(1, 3), shard = between(1, 9);
    std::vector<std::unique_ptr<Session>> sessions;
    const std::string binomial = "binomial:" + std::to_string(between(1, 5));
    for (const std::string &boundaries : {std::string("device"), std::string("host"), binomial})
      sessions.push_back(openSmall({batch, shard, 256, boundaries}, 1 + static_cast<unsigned>(round % 2)));
    for (int call = 0; call < 3; ++call) {
      const SmallCase example(batch, between(1, 120), static_cast<unsigned>(round * 10 + call), true);
      std::vector<std::vector<float>> results;
      for (auto &session : sessions) {
        auto result = session->valueAndGrad(example.inputs());
        ASSERT_TRUE(result) << result.error().message;
        auto bits = gradientOf(*session);
        for (const auto &more : {finalStatesOf(*session, batch), initialCotangentsOf(*session, batch),
                                 std::vector<float>{static_cast<float>(result->loss)}})
          bits.insert(bits.end(), more.begin(), more.end());
        results.push_back(bits);
      }
      EXPECT_EQ(results[0], results[1]) << "host, round " << round << ", call " << call;
      EXPECT_EQ(results[0], results[2]) << binomial << ", round " << round << ", call " << call;
    }
  }
}

/// Calls that accumulate add loss and gradients in the arena: whole shards give the bits of one call.
class Accumulation : public testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(Boundaries, Accumulation, testing::Values("device", "host"));
TEST_P(Accumulation, OverCalls) {
  const SmallCase example(2, 15, 5, true);
  auto session = openSmall({2, 4, 64, GetParam()});
  auto whole = session->valueAndGrad(example.inputs());
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->accumulatedLoss, whole->loss);
  const auto wanted = gradientOf(*session), initialCotangents = initialCotangentsOf(*session, 2);

  ASSERT_TRUE(session->forward(example.inputs(0, 8)));
  const auto middle = finalStatesOf(*session, 2);
  GradientInputs right = example.inputs(8, 15), left = example.inputs(0, 8);
  right.initialStates = std::as_bytes(std::span(middle));
  right.totalTargets = left.totalTargets = example.counted;
  auto second = session->valueAndGrad(right);
  ASSERT_TRUE(second) << second.error().message;
  const auto cotangents = initialCotangentsOf(*session, 2);
  left.finalCotangents = std::as_bytes(std::span(cotangents));
  left.accumulate = true;
  auto first = session->valueAndGrad(left);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->accumulatedLoss, whole->loss);
  EXPECT_NEAR(first->loss + second->loss, whole->loss, 1e-12);
  EXPECT_EQ(gradientOf(*session), wanted);
  EXPECT_EQ(initialCotangentsOf(*session, 2), initialCotangents);
}

/// A sequence in two calls: forward for the states, then gradients from right to left with the cotangents.
TEST(Gradient, StreamsASequenceOverSeveralCalls) {
  const SmallCase example(2, 15, 5, true);
  const auto wanted = example.expected();
  auto session = openSmall({2, 4, 64, "device"});
  ASSERT_TRUE(session->forward(example.inputs(0, 9)));
  const auto middle = finalStatesOf(*session, 2);
  EXPECT_FALSE(session->getInitialCotangents(std::span<std::byte>()));

  GradientInputs right = example.inputs(9, 15), left = example.inputs(0, 9);
  right.initialStates = std::as_bytes(std::span(middle));
  right.totalTargets = left.totalTargets = example.counted;
  auto second = session->valueAndGrad(right);
  ASSERT_TRUE(second) << second.error().message;
  auto gradient = gradientOf(*session);
  expectNear(finalStatesOf(*session, 2), wanted.finalStates);
  const auto cotangents = initialCotangentsOf(*session, 2);
  left.finalCotangents = std::as_bytes(std::span(cotangents));
  auto first = session->valueAndGrad(left);
  ASSERT_TRUE(first) << first.error().message;
  const auto other = gradientOf(*session);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    gradient[i] += other[i];
  expectNear(gradient, wanted.gradient);
  EXPECT_NEAR(first->loss + second->loss, wanted.loss, 1e-6 * wanted.loss);
}

TEST(Gradient, EqualRunsAndThreadsGiveEqualBits) {
  const SmallCase example(3, 29, 8, true);
  std::vector<std::vector<float>> results;
  for (unsigned threads : {1u, 2u, 2u}) {
    auto session = openSmall({3, 4, 64, "device"}, threads);
    ASSERT_TRUE(session->valueAndGrad(example.inputs()));
    const auto once = gradientOf(*session);
    ASSERT_TRUE(session->valueAndGrad(example.inputs()));
    EXPECT_EQ(once, gradientOf(*session));
    results.push_back(once);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[1], results[2]);
}

TEST(Gradient, BinomialCountsItsForwardRuns) {
  const SmallCase example(1, 40, 2, false);
  for (std::int64_t slots : {1, 3, 5}) {
    auto session = openSmall({1, 4, 64, "binomial:" + std::to_string(slots)});
    auto result = session->valueAndGrad(example.inputs());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->forwardShards, binomialForwardCount(10, slots));
  }
  auto session = openSmall({1, 4, 64, "device"});
  auto result = session->valueAndGrad(example.inputs());
  EXPECT_EQ(result->forwardShards, 9);
}

TEST(Gradient, ActionsAreReported) {
  std::vector<Action> actions;
  SessionOptions options;
  options.onAction = [&](const ActionTiming &timing) {
    EXPECT_LE(timing.begin, timing.end);
    EXPECT_EQ(timing.shards, 2);
    actions.push_back(timing.action);
  };
  auto session = openSmall({1, 4, 64, "device"}, 1, options);
  const SmallCase example(1, 8, 2, false);
  ASSERT_TRUE(session->valueAndGrad(example.inputs()));
  using Kind = Action::Kind;
  EXPECT_EQ(actions, (std::vector<Action>{{Kind::Save, 0, 0},
                                          {Kind::Forward, 0, 0},
                                          {Kind::Gradient, 1, 0},
                                          {Kind::Restore, 0, 0},
                                          {Kind::Gradient, 0, 0}}));
}

TEST(Memory, TheArenaGrowsWithTheSequenceByBoundariesAlone) {
  auto session = openSmall({1, 4, 1 << 20, "device"});
  const auto bytes = [&](std::int64_t tokens) { return *session->arenaBytes(tokens); };
  EXPECT_EQ(bytes(4), bytes(1));
  EXPECT_EQ(bytes(5), bytes(4) + 64);
  EXPECT_EQ(bytes(4000), bytes(4) + 999 * 64);
  EXPECT_EQ(*session->predictedPeakBytes(1 << 20), session->processBytes() + bytes(1 << 20));
  EXPECT_GT(session->processBytes(), 1u << 20);
  EXPECT_GE(session->peakBytes(), session->processBytes());
  const SmallCase example(1, 1 << 16, 4, true);
  ASSERT_TRUE(session->valueAndGrad(example.inputs()));
  expectNear(gradientOf(*session), example.expected().gradient);
}

/// Opening a session takes memory that it gives back: a small arena does not raise the process above that.
TEST(Memory, ThePredictedPeakIsNoLessThanOpeningTheSessionTook) {
  auto session = openSmall({1, 4, 64, "device"});
  const std::uint64_t opened = session->peakBytes(), predicted = *session->predictedPeakBytes(4);
  EXPECT_GE(predicted, session->processBytes() + *session->arenaBytes(4));
  if (!onGpu()) // where the arena is reserved by now, in large pages, and nothing is given back
    EXPECT_GE(predicted + (1u << 19), opened);
}

TEST(Memory, BoundariesOnTheHostTakeFourOfTheArena) {
  auto session = openSmall({1, 4, 1 << 20, "host"});
  const auto arena = [&](std::int64_t tokens) { return *session->arenaBytes(tokens); };
  const auto host = [&](std::int64_t tokens) { return *session->hostBytes(tokens); };
  EXPECT_EQ(arena(5), arena(4) + 64);
  EXPECT_EQ(arena(9), arena(4) + 128);
  EXPECT_EQ(arena(4000), arena(9));
  EXPECT_EQ(host(4), 0u);
  EXPECT_EQ(host(4000), 999u * 64);
  const std::uint64_t all = session->processBytes() + arena(1 << 20) + (onGpu() ? 0 : host(1 << 20));
  EXPECT_EQ(*session->predictedPeakBytes(1 << 20), std::max(all, *session->predictedPeakBytes(1)));
  const SmallCase example(1, 1 << 16, 4, true); // host memory grows for it
  ASSERT_TRUE(session->valueAndGrad(example.inputs()));
  expectNear(gradientOf(*session), example.expected().gradient);
}

TEST(Memory, ReservingMoreKeepsParametersAndStates) {
  auto session = openSmall({1, 4, 1 << 20, "device"});
  const SmallCase example(1, 8, 2, false);
  ASSERT_TRUE(session->valueAndGrad(example.inputs()));
  const auto states = finalStatesOf(*session, 1), gradient = gradientOf(*session);
  ASSERT_TRUE(session->reserve(1 << 20));
  EXPECT_EQ(states, finalStatesOf(*session, 1));
  EXPECT_EQ(gradient, gradientOf(*session));
  std::vector<float> weights(kVocabulary);
  ASSERT_TRUE(session->getParameter("w", weights));
  EXPECT_EQ(weights, smallWeights());
}

} // namespace
