// Four million tokens from files: what is in memory of them does not grow with their number.
#include "SmallModel.h"
#include "TemporaryFolder.h"
#include "TestDevice.h"
#include "adjrt/io/Npy.h"
#include "adjrt/io/TokenStream.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {

class LongSequence : public TemporaryFolder {
protected:
  /// 4 bytes of tokens and 1 of resets for each of `count`.
  void write(std::int64_t count) const {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(count) + 1);
    std::vector<std::uint8_t> resets(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = static_cast<std::int32_t>(i * i % kVocabulary);
    for (std::size_t i = 0; i < resets.size(); ++i)
      resets[i] = i % 1000 == 7;
    ASSERT_TRUE(writeNpy(path("t.npy"), std::vector<std::int64_t>{count + 1}, std::span<const std::int32_t>(tokens)));
    ASSERT_TRUE(writeNpy(path("r.npy"), std::vector<std::int64_t>{count}, std::span<const std::uint8_t>(resets)));
  }
  static GradientInputs inputsOf(TokenStream &stream) {
    GradientInputs inputs;
    inputs.tokens = stream.tokens;
    inputs.inputs = &stream.inputs();
    inputs.targets = &stream.targets();
    inputs.resets = stream.resets();
    return inputs;
  }
};

TEST_F(LongSequence, IsReadWindowByWindow) {
  if (onGpu())
    GTEST_SKIP() << "the resident set is the cpu's memory";
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps freed memory for a while";
#endif
  constexpr std::int64_t kTokens = 4 * 1000 * 1000;
  write(kTokens);
  Session *running = nullptr;
  std::uint64_t most = 0;
  SessionOptions options;
  options.tokens = kTokens;
  options.onAction = [&](const ActionTiming &) { most = std::max(most, running->device().memory().current); };
  auto session = openSmall({1, 1 << 16, 1 << 24, "device"}, 1, options);
  running = session.get();
  const std::uint64_t before = session->device().memory().current;
  auto stream = TokenStream::read({path("t.npy"), "", path("r.npy")}, {1, kVocabulary, 1 << 24});
  ASSERT_TRUE(stream) << stream.error().message;
  auto result = session->valueAndGrad(inputsOf(*stream));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->countedTargets, kTokens);
  EXPECT_GE(most, before);
  EXPECT_LT(most, before + (std::uint64_t(1) << 20)) << "of files of 20 MB";
}

/// From files, in windows and shards of lengths that do not fit each other, it is what it is from memory.
TEST_F(LongSequence, IsThatOfTheSameTokensInMemory) {
  constexpr std::int64_t kTokens = 3 * kRowWindow + 5;
  write(kTokens);
  auto stream = TokenStream::read({path("t.npy"), "", path("r.npy")}, {1, kVocabulary, 1 << 20});
  ASSERT_TRUE(stream) << stream.error().message;
  auto session = openSmall({1, kRowWindow + 1234, 1 << 20, "device"});
  auto result = session->valueAndGrad(inputsOf(*stream));
  ASSERT_TRUE(result) << result.error().message;
  std::vector<float> gradient(kVocabulary), expected(kVocabulary);
  ASSERT_TRUE(session->getGradient("w", gradient));

  std::vector<std::int32_t> tokens(kTokens + 1);
  std::vector<std::uint8_t> resets(kTokens);
  ASSERT_TRUE(NpyFile<std::int32_t>::open(path("t.npy"))->read(0, tokens));
  ASSERT_TRUE(NpyFile<std::uint8_t>::open(path("r.npy"))->read(0, resets));
  GradientInputs whole;
  whole.tokens = kTokens;
  whole.inputs = {tokens.data(), kTokens};
  whole.targets = {tokens.data() + 1, kTokens};
  whole.resets = {resets.data(), kTokens};
  auto again = session->valueAndGrad(whole);
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_TRUE(session->getGradient("w", expected));
  EXPECT_EQ(gradient, expected);
  EXPECT_EQ(result->loss, again->loss);
}

/// A file that changes between the checks and a shard's turn ends the call.
TEST_F(LongSequence, AFileThatBecomesShorterEndsTheCall) {
  constexpr std::int64_t kTokens = 3 * kRowWindow;
  write(kTokens);
  SessionOptions options;
  bool cut = false;
  options.onAction = [&](const ActionTiming &timing) {
    if (timing.action.kind == Action::Kind::Gradient && !std::exchange(cut, true))
      std::filesystem::resize_file(path("t.npy"), kTokens);
  };
  auto session = openSmall({1, kRowWindow, 1 << 20, "device"}, 1, options);
  auto stream = TokenStream::read({path("t.npy"), "", ""}, {1, kVocabulary, 1 << 20});
  ASSERT_TRUE(stream) << stream.error().message;
  auto result = session->valueAndGrad(inputsOf(*stream));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(result.error().message.find("t.npy: became shorter while it was read"), std::string::npos);
  std::vector<float> gradient(kVocabulary);
  EXPECT_FALSE(session->getGradient("w", gradient));
}

} // namespace
