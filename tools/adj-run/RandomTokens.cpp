// Uniform random tokens.
#include "RandomTokens.h"
#include "adjrt/initialize/Random.h"

#include <algorithm>

using namespace adjrt;

TokenStream adjrun::makeRandomTokens(const Module &module, std::int64_t tokens, std::uint64_t seed, bool resets) {
  std::int64_t batch = module.plan().batch();
  RandomStream random(seed, "tokens"), boundaries(seed, "resets");
  std::vector<std::int32_t> stream(static_cast<std::size_t>(batch * (tokens + 1)));
  for (std::size_t i = 0; i != stream.size(); ++i)
    stream[i] = static_cast<std::int32_t>(random.below(i, static_cast<std::uint64_t>(module.plan().vocabulary())));
  std::vector<std::uint8_t> flags(resets ? static_cast<std::size_t>(batch * tokens) : 0);
  for (std::size_t i = 0; i != flags.size(); ++i) {
    std::int64_t position = static_cast<std::int64_t>(i) % tokens;
    flags[i] = position == 0 || position == std::max<std::int64_t>(tokens / 2, 1) || boundaries.below(i, 16) == 0;
  }
  return TokenStream::fromMemory(batch, tokens, std::move(stream), std::move(flags));
}
