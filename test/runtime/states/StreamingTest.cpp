// One sequence in several calls equals one call: in every bit where calls and shards end together.
#include "CompiledModel.h"

#include <gtest/gtest.h>

using namespace adjrt::test;

namespace {

using Cuts = std::vector<std::int64_t>;

struct Model {
  std::string name;
  Spec spec;
};

const std::vector<Model> &models() {
  static const std::vector<Model> list{{"mamba", mamba()}, {"recurrences", recurrences()}};
  return list;
}

/// 23 tokens with states at both ends, some targets not counted, and of a sequence in pieces of a larger total.
Problem makeProblem(const CompiledModel &model, unsigned seed, bool resets) {
  std::mt19937 random(seed);
  Problem problem(model.batch(), 23, model.vocabulary(), random);
  problem.initial = model.randomStates(random);
  problem.finalCotangents = model.randomStates(random);
  problem.total = 50;
  if (resets) // a call's first token, a shard's last, two in a row; none in the other sequences
    problem.resetAt(0, {8, 11, 17, 18});
  return problem;
}

void expectStreamed(const std::string &options, bool resets, unsigned threads = 1) {
  for (const Model &tested : models()) {
    CompiledModel model(tested.spec, options, threads);
    const Problem problem = makeProblem(model, 7, resets);
    SCOPED_TRACE(tested.name + " " + options);
    const Outcome whole = model.run(problem), expected = model.judge(problem);
    expectClose(whole, expected);
    // Shards of 4 tokens: two calls, and five; one shard a call.
    for (const Cuts &cuts : {Cuts{8}, Cuts{4, 8, 16, 20}, Cuts{4, 8, 12, 16, 20}}) {
      SCOPED_TRACE("calls begin at " + testing::PrintToString(cuts));
      expectEqual(model.run(problem, cuts), whole);
    }
    for (const Cuts &cuts : {Cuts{9}, Cuts{1, 2, 13, 22}, Cuts{5, 8, 18, 19}}) {
      SCOPED_TRACE("calls begin at " + testing::PrintToString(cuts));
      const Outcome streamed = model.run(problem, cuts);
      expectClose(streamed, expected);
      expectClose(streamed, whole);
    }
  }
}

TEST(Streaming, CallsEqualOneCall) { expectStreamed("--batch=2 --shard=4 --context=64", false); }

TEST(Streaming, CallsEqualOneCallWithResets) { expectStreamed("--batch=2 --shard=4 --context=64", true); }

TEST(Streaming, CallsEqualOneCallOnTwoThreads) { expectStreamed("--batch=2 --shard=4 --context=64", true, 2); }

TEST(Streaming, CallsEqualOneCallWithBoundariesRecomputed) {
  expectStreamed("--batch=1 --shard=4 --context=64 --boundaries=binomial:1 --mini-sequence=3", true);
}

TEST(Streaming, CallsEqualOneCallWithShardsShorterThanTheConvolution) {
  for (const Model &tested : models()) {
    CompiledModel model(tested.spec, "--batch=2 --shard=2 --context=64");
    const Problem problem = makeProblem(model, 9, true);
    SCOPED_TRACE(tested.name);
    const Outcome whole = model.run(problem);
    expectClose(whole, model.judge(problem));
    expectEqual(model.run(problem, {8}), whole);
    expectEqual(model.run(problem, {2, 4, 8, 22}), whole);
    expectClose(model.run(problem, {1, 8, 9, 10}), whole);
  }
}

/// States are kept in one module and taken up in another: a boundary does not depend on how the plan cuts the sequence.
TEST(Streaming, BoundariesAreThoseOfAnyShardLength) {
  for (const Model &tested : models()) {
    CompiledModel one(tested.spec, "--batch=2 --shard=4 --context=64"),
        other(tested.spec, "--batch=2 --shard=2 --context=64");
    EXPECT_EQ(one.module().plan().boundary_bytes(), other.module().plan().boundary_bytes());
    ASSERT_EQ(one.carries().size(), other.carries().size());
    for (std::size_t i = 0; i < one.carries().size(); ++i) {
      EXPECT_EQ(one.carries()[i].name, other.carries()[i].name);
      EXPECT_EQ(one.carries()[i].offset, other.carries()[i].offset);
      EXPECT_EQ(one.carries()[i].shape, other.carries()[i].shape);
    }
  }
}

/// The context is what one call may have; a streamed sequence is as long as one likes.
TEST(Streaming, LongerThanTheContext) {
  CompiledModel longer(mamba(), "--batch=1 --shard=4 --context=64"),
      shorter(mamba(), "--batch=1 --shard=4 --context=8");
  const Problem problem = makeProblem(longer, 11, false);
  EXPECT_THROW(shorter.run(problem), std::runtime_error);
  expectEqual(shorter.run(problem, {8, 16}), longer.run(problem));
}

} // namespace
