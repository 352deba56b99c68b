// A model small enough to be checked by hand, as a module for the test device (kernels: support/Kernels.c,
// Kernels.ptx):
//   s_t = (reset ? 0 : s_{t-1} / 2) + w[token_t],   loss_t = (s_t - target_t)^2 / 2 where counted.
#ifndef ADJC_TEST_RUNTIME_SESSION_SMALLMODEL_H
#define ADJC_TEST_RUNTIME_SESSION_SMALLMODEL_H

#include "adjrt/session/Session.h"

#include <string>
#include <vector>

namespace adjrt::test {

inline constexpr std::int32_t kVocabulary = 11;

struct SmallPlan {
  std::int64_t batch = 1, shard = 4, context = 64;
  std::string boundaries = "device";
  std::string optimizer = "none";
};

/// A session on the small model, its parameter "w" set; the test fails when it cannot be opened.
std::unique_ptr<Session> openSmall(const SmallPlan &plan, unsigned threads = 1, SessionOptions options = {});

std::vector<float> smallWeights();

/// Random tokens, targets (some ignored) and resets for the small model, and what must come out, in float64 over the
/// whole sequence.
struct SmallCase {
  SmallCase(std::int64_t batch, std::int64_t tokens, unsigned seed, bool withResets);

  /// The inputs of positions [begin, end), pointing into this.
  GradientInputs inputs(std::int64_t begin, std::int64_t end) const;
  GradientInputs inputs() const { return inputs(0, tokens); }

  struct Expected {
    double loss = 0;
    std::vector<double> gradient, finalStates, initialCotangents;
  };
  Expected expected(const std::vector<float> &initial = {}, const std::vector<float> &cotangents = {},
                    std::int64_t total = 0) const;

  std::int64_t batch, tokens, counted = 0;
  std::vector<std::int32_t> ids, targets;
  std::vector<std::uint8_t> resets;
};

} // namespace adjrt::test

#endif
