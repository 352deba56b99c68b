#include "Problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace adjrt::test {

Problem::Problem(std::int64_t batch, std::int64_t tokens, std::int64_t vocabulary, std::mt19937 &random)
    : batch(batch), tokens(tokens) {
  std::uniform_int_distribution<std::int32_t> id(0, static_cast<std::int32_t>(vocabulary) - 1), die(0, 5);
  for (std::int64_t i = 0; i < batch * tokens; ++i) {
    ids.push_back(id(random));
    targets.push_back(i > 0 && die(random) == 0 ? kIgnoredTarget : id(random));
  }
}

std::int64_t Problem::counted() const {
  return static_cast<std::int64_t>(targets.size()) - std::count(targets.begin(), targets.end(), kIgnoredTarget);
}

void Problem::resetAt(std::int64_t sequence, const std::vector<std::int64_t> &positions) {
  resets.resize(static_cast<std::size_t>(batch * tokens));
  for (std::int64_t t = 0; t < tokens; ++t)
    resets[static_cast<std::size_t>(sequence * tokens + t)] = 0;
  for (std::int64_t t : positions)
    resets[static_cast<std::size_t>(sequence * tokens + t)] = 1;
}

Problem Problem::document(std::int64_t sequence, std::int64_t begin, std::int64_t end) const {
  Problem part = *this;
  const auto cut = [&](auto &values) {
    values = {values.begin() + (sequence * tokens + begin), values.begin() + (sequence * tokens + end)};
  };
  cut(part.ids);
  cut(part.targets);
  part.resets.clear();
  part.initial.clear();
  part.finalCotangents.clear();
  part.batch = 1;
  part.tokens = end - begin;
  part.total = total ? total : counted();
  return part;
}

States randomStates(const std::vector<CarryPlace> &places, std::mt19937 &random) {
  std::normal_distribution<float> normal;
  States states;
  for (const CarryPlace &place : places) {
    states.emplace_back(place.bytes / sizeof(float));
    for (double &value : states.back())
      value = normal(random);
  }
  return states;
}

void expectClose(const std::vector<double> &found, const std::vector<double> &expected, double bound,
                 const std::string &what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double square = 0, difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    square += expected[i] * expected[i];
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
  }
  EXPECT_LE(std::sqrt(difference), bound * std::sqrt(square))
      << what << ": relative error " << std::sqrt(difference / square);
}

namespace {

/// Calls `compare(found, expected, name)` for every tensor of two outcomes.
template <typename Compare> void compareTensors(const Outcome &found, const Outcome &expected, const Compare &compare) {
  ASSERT_EQ(found.gradients.size(), expected.gradients.size());
  for (const auto &[name, values] : expected.gradients) {
    ASSERT_TRUE(found.gradients.contains(name)) << name;
    compare(found.gradients.at(name), values, "the gradient of " + name);
  }
  const auto states = [&](const States &a, const States &b, const std::string &what) {
    ASSERT_EQ(a.size(), b.size()) << what;
    for (std::size_t i = 0; i < a.size(); ++i)
      compare(a[i], b[i], what + " of carry " + std::to_string(i));
  };
  states(found.finalStates, expected.finalStates, "the final state");
  states(found.initialCotangents, expected.initialCotangents, "the initial state's cotangent");
}

} // namespace

void expectClose(const Outcome &found, const Outcome &expected, double bound) {
  EXPECT_NEAR(found.loss, expected.loss, bound * std::abs(expected.loss));
  compareTensors(found, expected,
                 [&](const auto &a, const auto &b, const std::string &what) { expectClose(a, b, bound, what); });
}

void expectEqual(const Outcome &found, const Outcome &expected) {
  const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
  EXPECT_EQ(bits(found.loss), bits(expected.loss)) << found.loss << " " << expected.loss;
  compareTensors(found, expected,
                 [&](const std::vector<double> &a, const std::vector<double> &b, const std::string &what) {
                   ASSERT_EQ(a.size(), b.size()) << what;
                   for (std::size_t i = 0; i < a.size(); ++i)
                     ASSERT_EQ(bits(a[i]), bits(b[i])) << what << " at " << i << ": " << a[i] << " " << b[i];
                 });
}

void add(Outcome &sum, const Outcome &term) {
  sum.loss += term.loss;
  for (const auto &[name, values] : term.gradients) {
    std::vector<double> &total = sum.gradients[name];
    total.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      total[i] += values[i];
  }
}

} // namespace adjrt::test
