// What a call gives for the states it was given: against the reference device, and the reference against finite
// differences.
#include "CompiledModel.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace adjrt::test;

namespace {

double dot(const States &a, const States &b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j)
      sum += a[i][j] * b[i][j];
  return sum;
}

/// What the cotangents are the gradient of: the loss, and the final states weighted by their cotangents.
double objective(const CompiledModel &model, const Problem &problem) {
  const Outcome outcome = model.judge(problem);
  return outcome.loss + (problem.finalCotangents.empty() ? 0 : dot(outcome.finalStates, problem.finalCotangents));
}

/// The slope along `direction` of the initial states, from five points: its error is of order h^4.
double slope(const CompiledModel &model, Problem problem, const States &direction) {
  const double h = 1e-3;
  const auto at = [&](double step) {
    Problem moved = problem;
    for (std::size_t i = 0; i < direction.size(); ++i)
      for (std::size_t j = 0; j < direction[i].size(); ++j)
        moved.initial[i][j] += step * direction[i][j];
    return objective(model, moved);
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

/// Of states and cotangents, what `random` gives; the fields to leave out stay empty.
void expectCotangents(const Spec &spec, const std::string &options, bool initial, bool cotangents, bool resets) {
  SCOPED_TRACE(options + " initial " + std::to_string(initial) + " cotangents " + std::to_string(cotangents) +
               " resets " + std::to_string(resets));
  CompiledModel model(spec, options);
  std::mt19937 random(3);
  Problem problem(model.batch(), 9, model.vocabulary(), random);
  const States zeros = [&] {
    States states = model.randomStates(random);
    for (auto &values : states)
      std::fill(values.begin(), values.end(), 0.0);
    return states;
  }();
  if (initial)
    problem.initial = model.randomStates(random);
  if (cotangents)
    problem.finalCotangents = model.randomStates(random);
  if (resets)
    problem.resetAt(0, {2, 7}); // inside the convolution's reach: the tail's older rows have no cotangent
  const Outcome found = model.run(problem), expected = model.judge(problem);
  expectClose(found, expected);
  ASSERT_EQ(expected.initialCotangents.size(), model.carries().size());
  if (problem.initial.empty())
    problem.initial = zeros; // to have something to move
  // One carried tensor at a time: none hides behind a larger one.
  for (std::size_t i = 0; i < model.carries().size(); ++i) {
    States direction = zeros;
    direction[i] = model.randomStates(random)[i];
    const double wanted = slope(model, problem, direction);
    EXPECT_NEAR(dot(expected.initialCotangents, direction), wanted, 1e-7 * (1 + std::abs(wanted)))
        << model.carries()[i].name << " of layer " << model.carries()[i].layer;
    EXPECT_GT(std::abs(wanted), 1e-7) << "nothing is tested";
  }
}

void expectAllKinds(const Spec &spec) {
  for (const char *options : {"--batch=2 --shard=4 --context=64", "--batch=2 --shard=2 --context=64"})
    for (bool initial : {false, true})
      for (bool cotangents : {false, true})
        for (bool resets : {false, true})
          expectCotangents(spec, options, initial, cotangents, resets);
}

TEST(StateCotangents, OfMamba) { expectAllKinds(mamba()); }
TEST(StateCotangents, OfRecurrences) { expectAllKinds(recurrences()); }

/// The loss does not see what lies between a call's last target and its end but through the final states.
TEST(StateCotangents, OfFinalStatesAlone) {
  CompiledModel model(recurrences(), "--batch=2 --shard=4 --context=64");
  std::mt19937 random(5);
  Problem problem(2, 10, model.vocabulary(), random);
  std::fill(problem.targets.begin(), problem.targets.end(), adjrt::kIgnoredTarget);
  problem.total = 10;
  problem.finalCotangents = model.randomStates(random);
  const Outcome found = model.run(problem);
  EXPECT_EQ(found.loss, 0);
  expectClose(found, model.judge(problem));
}

} // namespace
