// Models for the tests, as specs for adjc.
#ifndef ADJC_TEST_RUNTIME_STATES_SPECS_H
#define ADJC_TEST_RUNTIME_STATES_SPECS_H

#include <cstdint>
#include <string>

namespace adjrt::test {

struct Spec {
  std::string suffix; ///< of the file: ".json" or ".mlir"
  std::string text;
};

/// Sizes that nothing divides.
struct Shape {
  std::int64_t vocabulary = 19, hidden = 10, state = 3, rank = 2, width = 4, layers = 2;
};

/// A Mamba, as Hugging Face's config.json.
Spec mamba(const Shape &shape = {});

/// Recurrences written out: a gated one with a state per channel before the stack, whose step reads the reset flag; in
/// the stack a convolution of `width` taps and a state (d, n) with a gate from `rank` channels.
Spec recurrences(const Shape &shape = {});

} // namespace adjrt::test

#endif
