// Random models, shard lengths, batches, calls, resets and states against the reference device. A failure prints its
// seeds.
#include "CompiledModel.h"

#include <gtest/gtest.h>

#include <set>

using namespace adjrt::test;

namespace {

class Dice {
public:
  explicit Dice(std::mt19937 &random) : random(random) {}
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution(least, most)(random);
  }
  bool oneIn(std::int64_t sides) { return between(1, sides) == 1; }

private:
  std::mt19937 &random;
};

struct RandomModel {
  Spec spec;
  std::string options;

  explicit RandomModel(unsigned seed) {
    std::mt19937 random(seed);
    Dice dice(random);
    const Shape shape{dice.between(3, 40), dice.between(4, 14), dice.between(1, 6),
                      dice.between(1, 4),  dice.between(1, 5),  dice.between(1, 3)};
    spec = seed % 2 ? mamba(shape) : recurrences(shape);
    options = "--batch=" + std::to_string(dice.between(1, 3)) + " --shard=" + std::to_string(dice.between(1, 6)) +
              " --context=64";
    if (dice.oneIn(2))
      options += " --boundaries=binomial:" + std::to_string(dice.between(1, 4));
    if (dice.oneIn(2))
      options += " --mini-sequence=" + std::to_string(dice.between(1, 7));
  }
};

/// Problems `first` to `last` on the model of `seed`.
void expectRandom(unsigned seed) {
  const RandomModel made(seed);
  CompiledModel model(made.spec, made.options, 1 + seed % 2);
  for (unsigned problemSeed = 1; problemSeed <= 12; ++problemSeed) {
    std::mt19937 random(1000 * seed + problemSeed);
    Dice dice(random);
    Problem problem(model.batch(), dice.between(1, 26), model.vocabulary(), random);
    if (dice.oneIn(2))
      for (std::int64_t b = 0; b < problem.batch; ++b) {
        std::vector<std::int64_t> positions;
        const std::int64_t rarity = dice.between(1, 8);
        for (std::int64_t t = 0; t < problem.tokens; ++t)
          if (dice.oneIn(rarity))
            positions.push_back(t);
        problem.resetAt(b, positions);
      }
    if (dice.oneIn(2))
      problem.initial = model.randomStates(random);
    if (dice.oneIn(2))
      problem.finalCotangents = model.randomStates(random);
    if (dice.oneIn(2))
      problem.total = problem.counted() + dice.between(0, 20);
    std::set<std::int64_t> cuts;
    for (std::int64_t i = dice.between(0, 4); i > 0 && problem.tokens > 1; --i)
      cuts.insert(dice.between(1, problem.tokens - 1));
    SCOPED_TRACE("model seed " + std::to_string(seed) + " (" + made.options + "), problem seed " +
                 std::to_string(problemSeed) + ", T " + std::to_string(problem.tokens) + ", calls begin at " +
                 testing::PrintToString(cuts));
    const Outcome expected = model.judge(problem);
    expectClose(model.run(problem, {cuts.begin(), cuts.end()}), expected);
    expectClose(model.run(problem), expected);
  }
}

class Random : public testing::TestWithParam<unsigned> {};
TEST_P(Random, EqualsTheReference) { expectRandom(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Models, Random, testing::Range(1u, 13u));

} // namespace
