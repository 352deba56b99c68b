// Uniform random tokens.
#include "RandomTokens.h"
#include "adjrt/initialize/Random.h"

#include <algorithm>

using namespace adjrt;

/// More than a window, and about as many as a vocabulary has.
static constexpr std::int64_t kPeriod = std::int64_t(1) << 16;

static std::vector<std::int32_t> randomIds(const Module &module, std::int64_t count, std::uint64_t seed) {
  RandomStream random(seed, "tokens");
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i != ids.size(); ++i)
    ids[i] = static_cast<std::int32_t>(random.below(i, static_cast<std::uint64_t>(module.plan().vocabulary())));
  return ids;
}

namespace {
/// Element i of the rows, counted through all of them, is element i modulo kPeriod of `ids`, whose first window's worth
/// is at its end once more.
class RepeatedRows final : public RowSource<std::int32_t> {
public:
  RepeatedRows(std::shared_ptr<const std::vector<std::int32_t>> ids, std::int64_t width, std::int64_t column)
      : ids(std::move(ids)), width(width), column(column) {}

  Expected<std::span<const std::int32_t>> window(std::int64_t row, std::int64_t first, std::int64_t count) override {
    const std::int64_t begin = (row * width + column + first) % kPeriod;
    return std::span(*ids).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
  }

private:
  std::shared_ptr<const std::vector<std::int32_t>> ids;
  std::int64_t width, column;
};
} // namespace

TokenStream adjrun::makeRepeatedTokens(const Module &module, std::int64_t tokens, std::uint64_t seed) {
  const std::int64_t batch = module.plan().batch(), width = tokens + 1;
  std::vector<std::int32_t> ids = randomIds(module, std::min(batch * width, kPeriod), seed);
  if (batch * width > kPeriod) {
    ids.reserve(static_cast<std::size_t>(kPeriod + kRowWindow));
    ids.insert(ids.end(), ids.begin(), ids.begin() + kRowWindow);
  }
  const auto shared = std::make_shared<const std::vector<std::int32_t>>(std::move(ids));
  return TokenStream(batch, tokens, std::make_unique<RepeatedRows>(shared, width, 0),
                     std::make_unique<RepeatedRows>(shared, width, 1), nullptr);
}

TokenStream adjrun::makeRandomTokens(const Module &module, std::int64_t tokens, std::uint64_t seed, bool resets) {
  std::int64_t batch = module.plan().batch();
  RandomStream boundaries(seed, "resets");
  std::vector<std::int32_t> stream = randomIds(module, batch * (tokens + 1), seed);
  std::vector<std::uint8_t> flags(resets ? static_cast<std::size_t>(batch * tokens) : 0);
  for (std::size_t i = 0; i != flags.size(); ++i) {
    std::int64_t position = static_cast<std::int64_t>(i) % tokens;
    flags[i] = position == 0 || position == std::max<std::int64_t>(tokens / 2, 1) || boundaries.below(i, 16) == 0;
  }
  return TokenStream::fromMemory(batch, tokens, std::move(stream), std::move(flags));
}
