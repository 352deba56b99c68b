// What a model computes on, and what comes out of it, in a form that the cpu device and the reference device share.
#ifndef ADJC_TEST_RUNTIME_STATES_PROBLEM_H
#define ADJC_TEST_RUNTIME_STATES_PROBLEM_H

#include "adjrt/module/Carries.h"
#include "adjrt/session/Session.h"

#include <map>
#include <random>
#include <string>
#include <vector>

namespace adjrt::test {

/// The carried tensors of a boundary, in listCarries' order. Empty where all are zero.
using States = std::vector<std::vector<double>>;

struct Problem {
  std::int64_t batch = 1, tokens = 1;
  std::vector<std::int32_t> ids, targets; ///< (batch, tokens)
  std::vector<std::uint8_t> resets;       ///< likewise, or empty
  States initial, finalCotangents;
  std::int64_t total = 0; ///< 0: the counted targets of this problem

  /// Random tokens; about one target in six not counted, the first always.
  Problem(std::int64_t batch, std::int64_t tokens, std::int64_t vocabulary, std::mt19937 &random);

  std::int64_t counted() const;
  /// Sets resets of one sequence, all others stay.
  void resetAt(std::int64_t sequence, const std::vector<std::int64_t> &positions);
  /// Tokens [begin, end) of sequence `sequence` alone, without resets and states, its mean taken over this problem's
  /// total.
  Problem document(std::int64_t sequence, std::int64_t begin, std::int64_t end) const;
};

/// Normal values of the places' sizes; f32 holds them exactly.
States randomStates(const std::vector<CarryPlace> &places, std::mt19937 &random);

/// Doubles hold every float: what is equal here is equal in bits.
struct Outcome {
  double loss = 0;
  std::map<std::string, std::vector<double>> gradients;
  States finalStates, initialCotangents;
};

/// That of `adj-run check` on f32 gradients (docs/adj-run.md), on states and their cotangents too.
inline constexpr double kBound = 1e-5;

/// |found - expected| / |expected| of every tensor at most `bound`; exactly zero where `expected` is. Fails the test
/// with the name.
void expectClose(const Outcome &found, const Outcome &expected, double bound = kBound);
void expectClose(const std::vector<double> &found, const std::vector<double> &expected, double bound,
                 const std::string &what);
/// Every bit.
void expectEqual(const Outcome &found, const Outcome &expected);

/// Adds another document's loss and gradients.
void add(Outcome &sum, const Outcome &term);

} // namespace adjrt::test

#endif
