// adjrt/initialize/Random.h - random numbers that are a function of (seed, name, index): the same bits on every
// machine.
#ifndef ADJRT_INITIALIZE_RANDOM_H
#define ADJRT_INITIALIZE_RANDOM_H

#include <array>
#include <cstdint>
#include <string_view>

namespace adjrt {

/// A stream of random numbers addressed by index, so that they can be made in any order and on any number of threads.
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011).
class RandomStream {
public:
  /// The stream of `name` under `seed`; different names give independent streams.
  RandomStream(std::uint64_t seed, std::string_view name);

  /// Uniform in (0, 1), 52 bits.
  [[nodiscard]] double uniform(std::uint64_t index) const;
  /// Normal with mean 0 and variance 1 (Box-Muller: indices 2k and 2k + 1 share two uniforms).
  [[nodiscard]] double normal(std::uint64_t index) const;
  /// Uniform in 0 .. bound - 1; bound is at least 1 and at most 2^32.
  [[nodiscard]] std::uint64_t below(std::uint64_t index, std::uint64_t bound) const;

private:
  [[nodiscard]] std::array<std::uint64_t, 2> block(std::uint64_t counter) const;

  std::uint64_t seed;
  std::uint64_t stream; ///< hash of the name
};

} // namespace adjrt

#endif
