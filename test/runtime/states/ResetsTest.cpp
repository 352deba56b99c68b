// Packed documents against the documents run separately, wherever they begin.
#include "CompiledModel.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace adjrt::test;

namespace {

using Positions = std::vector<std::int64_t>;

constexpr std::int64_t kTokens = 14;

/// Where documents begin, for shards of 4 tokens, and a name for it.
const std::vector<std::pair<std::string, Positions>> &placements() {
  static const std::vector<std::pair<std::string, Positions>> list{
      {"a shard's first token", {4}},
      {"a shard's last token", {7}},
      {"both sides of a shard's end", {7, 8}},
      {"two in a row", {5, 6}},
      {"several in a shard, and in the next", {4, 6, 7, 9}},
      {"the sequence's last token", {kTokens - 1}},
      {"token 0", {0}},
      {"tokens 0 and 1", {0, 1}},
      {"every token", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}},
  };
  return list;
}

/// The documents of all sequences, each in a call of its own on `model`, which has batch 1. The final states of the
/// last ones and the initial cotangents of the first ones are put together per sequence.
class Documents {
public:
  /// `flagged`: the model's regions read the flag, so a document keeps its own at its first token; otherwise it has
  /// none.
  Documents(CompiledModel &model, const Problem &packed, bool flagged)
      : model(model), packed(packed), flagged(flagged) {}

  Outcome run() {
    for (std::int64_t b = 0; b < packed.batch; ++b) {
      Positions begins;
      for (std::int64_t t = 0; t < packed.tokens; ++t)
        if (t == 0 || packed.resets.at(static_cast<std::size_t>(b * packed.tokens + t)))
          begins.push_back(t);
      begins.push_back(packed.tokens);
      for (std::size_t i = 0; i + 1 < begins.size(); ++i)
        runOne(b, begins[i], begins[i + 1]);
    }
    return std::move(sum);
  }

private:
  void runOne(std::int64_t sequence, std::int64_t begin, std::int64_t end) {
    const bool first = begin == 0,
               continues = first && !packed.resets[static_cast<std::size_t>(sequence * packed.tokens)];
    const bool last = end == packed.tokens;
    Problem document = packed.document(sequence, begin, end);
    if (flagged && !continues)
      document.resetAt(0, {0});
    if (continues)
      document.initial = partOf(packed.initial, sequence);
    if (last)
      document.finalCotangents = partOf(packed.finalCotangents, sequence);
    Outcome outcome = model.run(document);
    add(sum, outcome);
    if (first && !continues) // a document that begins here owes nothing to the state before it
      for (auto &values : outcome.initialCotangents)
        std::fill(values.begin(), values.end(), 0.0);
    if (first)
      append(sum.initialCotangents, outcome.initialCotangents);
    if (last)
      append(sum.finalStates, outcome.finalStates);
  }

  States partOf(const States &states, std::int64_t sequence) const {
    States part;
    for (const auto &values : states) {
      const auto size = static_cast<std::ptrdiff_t>(values.size()) / packed.batch;
      part.emplace_back(values.begin() + sequence * size, values.begin() + (sequence + 1) * size);
    }
    return part;
  }
  static void append(States &all, const States &part) {
    all.resize(part.size());
    for (std::size_t i = 0; i < part.size(); ++i)
      all[i].insert(all[i].end(), part[i].begin(), part[i].end());
  }

  CompiledModel &model;
  const Problem &packed;
  bool flagged;
  Outcome sum;
};

/// Every placement in one sequence of two, one call and several.
void expectDocuments(const Spec &spec, bool flagged, std::int64_t shard) {
  const std::string options = " --shard=" + std::to_string(shard) + " --context=64";
  CompiledModel packed(spec, "--batch=2" + options), separate(spec, "--batch=1" + options);
  for (const auto &[name, positions] : placements()) {
    SCOPED_TRACE(name + ", shards of " + std::to_string(shard));
    std::mt19937 random(17);
    Problem problem(2, kTokens, packed.vocabulary(), random);
    problem.resetAt(1, positions);
    problem.resetAt(0, {3});
    problem.initial = packed.randomStates(random);
    problem.finalCotangents = packed.randomStates(random);
    const Outcome whole = packed.run(problem), documents = Documents(separate, problem, flagged).run();
    expectClose(whole, documents);
    expectClose(whole, packed.judge(problem));
    for (const Positions &cuts : {Positions{4, 8}, Positions{7}, Positions{1, 5, 6, 13}}) {
      SCOPED_TRACE("calls begin at " + testing::PrintToString(cuts));
      expectClose(packed.run(problem, cuts), documents);
    }
  }
}

TEST(Resets, DocumentsOfMamba) { expectDocuments(mamba(), false, 4); }
TEST(Resets, DocumentsOfRecurrences) { expectDocuments(recurrences(), true, 4); }
TEST(Resets, DocumentsOfMambaInShardsShorterThanTheConvolution) { expectDocuments(mamba(), false, 2); }
TEST(Resets, DocumentsOfRecurrencesInShardsShorterThanTheConvolution) { expectDocuments(recurrences(), true, 2); }
TEST(Resets, DocumentsOfMambaInShardsOfOneToken) { expectDocuments(mamba(), false, 1); }
TEST(Resets, DocumentsOfMambaInOneShard) { expectDocuments(mamba(), false, 64); }

/// A document that begins at token 0 ignores the state given, in every bit, and owes it exactly nothing.
TEST(Resets, AtTokenZeroTheInitialStateDoesNotCount) {
  for (const Spec &spec : {mamba(), recurrences()}) {
    CompiledModel model(spec, "--batch=2 --shard=4 --context=64");
    std::mt19937 random(23);
    Problem problem(2, kTokens, model.vocabulary(), random);
    problem.resetAt(0, {0});
    problem.resetAt(1, {0, 5});
    const Outcome without = model.run(problem);
    problem.initial = model.randomStates(random);
    const Outcome with = model.run(problem);
    expectEqual(with, without);
    for (const auto &values : with.initialCotangents)
      for (double value : values)
        ASSERT_EQ(value, 0);
    // In a later call too: what the calls before left behind doesn't matter, the cotangent handed to them is zero.
    problem.resetAt(0, {0, 8});
    problem.resetAt(1, {0, 8});
    Problem left = problem, right = problem;
    const auto cut = [](Problem &part, std::int64_t begin, std::int64_t end) {
      const auto take = [&](auto &values) {
        auto copy = values;
        values.clear();
        for (std::int64_t b = 0; b < part.batch; ++b)
          values.insert(values.end(), copy.begin() + b * kTokens + begin, copy.begin() + b * kTokens + end);
      };
      take(part.ids), take(part.targets), take(part.resets);
      part.tokens = end - begin;
    };
    left.total = right.total = problem.counted();
    cut(left, 0, 8), cut(right, 8, kTokens);
    Outcome sum = model.run(right);
    for (const auto &values : sum.initialCotangents)
      for (double value : values)
        ASSERT_EQ(value, 0);
    add(sum, model.run(left));
    const Outcome whole = model.run(problem, {8});
    EXPECT_NEAR(sum.loss, whole.loss, 1e-12 * whole.loss);
    for (const auto &[name, values] : whole.gradients)
      expectClose(sum.gradients.at(name), values, kBound, name);
  }
}

/// The last token of a document counts when it has a target, be it the next document's first token; -100 takes out
/// exactly its loss.
TEST(Resets, TheLossAcrossADocumentsEndIsWhatTheTargetsSay) {
  for (const Spec &spec : {mamba(), recurrences()}) {
    CompiledModel model(spec, "--batch=1 --shard=4 --context=64");
    std::mt19937 random(29);
    Problem problem(1, kTokens, model.vocabulary(), random);
    std::copy(problem.ids.begin() + 1, problem.ids.end(), problem.targets.begin()); // the next token, across ends too
    problem.targets.back() = 0;
    problem.resetAt(0, {5, 8});
    problem.total = kTokens;
    const Outcome counted = model.run(problem);
    expectClose(counted, model.judge(problem));
    Problem across = problem;
    std::fill(across.targets.begin(), across.targets.end(), adjrt::kIgnoredTarget);
    across.targets[4] = problem.targets[4];
    across.targets[7] = problem.targets[7];
    problem.targets[4] = problem.targets[7] = adjrt::kIgnoredTarget;
    Outcome sum = model.run(problem);
    EXPECT_LT(sum.loss, counted.loss);
    add(sum, model.run(across));
    EXPECT_NEAR(sum.loss, counted.loss, 1e-6 * counted.loss);
    for (const auto &[name, values] : counted.gradients)
      expectClose(sum.gradients.at(name), values, kBound, name);
  }
}

} // namespace
