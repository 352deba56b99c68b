// Token, target and reset files: shapes, ranges and positions in messages.
#include "adjrt/io/TokenStream.h"
#include "TemporaryFolder.h"
#include "adjrt/io/Npy.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {
class Tokens : public TemporaryFolder {
protected:
  template <typename T>
  std::string save(const std::string &name, std::vector<std::int64_t> shape, std::vector<T> values) const {
    EXPECT_TRUE(writeNpy(path(name), shape, std::span<const T>(values)));
    return path(name);
  }
  std::string tokens(std::vector<std::int64_t> shape, std::vector<std::int32_t> values) const {
    return save<std::int32_t>("t.npy", std::move(shape), std::move(values));
  }
};

TEST_F(Tokens, InputsAndTargetsShareTheFile) {
  auto stream = TokenStream::read({tokens({2, 3}, {1, 2, 3, 4, 5, 6}), "", ""}, {2, 7, 2});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->tokens, 2);
  EXPECT_EQ(stream->inputStride, 3);
  EXPECT_EQ(stream->inputs()[stream->inputStride], 4);
  EXPECT_EQ(stream->targets()[stream->targetStride + 1], 6);
  EXPECT_EQ(stream->resets(), nullptr);
}

TEST_F(Tokens, SeparateTargetsAndResets) {
  auto stream = TokenStream::read(
      {tokens({2}, {1, 2}), save<std::int32_t>("y.npy", {1, 2}, {-100, 3}), save<std::uint8_t>("r.npy", {2}, {1, 0})},
      {1, 7, 0});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->tokens, 2);
  EXPECT_EQ(stream->targets()[0], -100);
  EXPECT_EQ(stream->targets()[1], 3);
  EXPECT_EQ(stream->resets()[0], 1);
}

TEST_F(Tokens, FromMemory) {
  TokenStream stream = TokenStream::fromMemory(1, 2, {1, 2, 3}, {1, 0});
  EXPECT_EQ(stream.inputs()[1], 2);
  EXPECT_EQ(stream.targets()[1], 3);
  EXPECT_EQ(stream.resets()[0], 1);
}

TEST_F(Tokens, WrongShapes) {
  expectInvalid(TokenStream::read({tokens({1, 1, 2}, {1, 2}), "", ""}, {1, 7, 0}),
                {"t.npy", "(1, 1, 2)", "(batch, tokens)"});
  expectInvalid(TokenStream::read({tokens({3, 2}, {1, 2, 3, 4, 5, 6}), "", ""}, {2, 7, 0}),
                {"3 sequences", "--batch=3"});
  expectInvalid(TokenStream::read({tokens({2}, {1, 2}), "", ""}, {2, 7, 0}), {"1 sequences", "compiled for 2"});
  expectInvalid(TokenStream::read({tokens({2}, {1, 2}), save<std::int32_t>("y.npy", {3}, {1, 2, 3}), ""}, {1, 7, 0}),
                {"y.npy", "3 tokens", "expected 2", "t.npy"});
  expectInvalid(TokenStream::read({tokens({3}, {1, 2, 3}), "", save<std::uint8_t>("r.npy", {3}, {1, 0, 0})}, {1, 7, 0}),
                {"r.npy", "3 tokens", "expected 2"});
}

TEST_F(Tokens, NoTokens) {
  expectInvalid(TokenStream::read({tokens({0}, {}), "", ""}, {1, 7, 0}), {"t.npy", "no token", "two tokens"});
  expectInvalid(TokenStream::read({tokens({1}, {3}), "", ""}, {1, 7, 0}), {"t.npy", "no token"});
  expectInvalid(TokenStream::read({tokens({0}, {}), save<std::int32_t>("y.npy", {0}, {}), ""}, {1, 7, 0}),
                {"t.npy", "at least one token"});
}

TEST_F(Tokens, ContextIsALimit) {
  expectInvalid(TokenStream::read({tokens({4}, {1, 2, 3, 4}), "", ""}, {1, 7, 2}),
                {"t.npy", "3 tokens", "--context=3"});
}

TEST_F(Tokens, OutsideTheVocabulary) {
  expectInvalid(TokenStream::read({tokens({2, 2}, {1, 2, 7, 3}), "", ""}, {2, 7, 0}),
                {"t.npy", "sequence 1, position 0", "token 7", "vocabulary of 7 (0 to 6)"});
  expectInvalid(TokenStream::read({tokens({2}, {1, -100}), "", ""}, {1, 7, 0}), {"position 1", "token -100"});
  expectInvalid(TokenStream::read({tokens({2}, {1, 2}), save<std::int32_t>("y.npy", {2}, {1, -1}), ""}, {1, 7, 0}),
                {"y.npy", "position 1", "target -1", "-100"});
}

TEST_F(Tokens, NothingCounted) {
  expectInvalid(TokenStream::read({tokens({2}, {1, 2}), save<std::int32_t>("y.npy", {2}, {-100, -100}), ""}, {1, 7, 0}),
                {"y.npy", "every target is -100"});
}

TEST_F(Tokens, WrongResets) {
  expectInvalid(TokenStream::read({tokens({3}, {1, 2, 3}), "", save<std::uint8_t>("r.npy", {2}, {1, 2})}, {1, 7, 0}),
                {"r.npy", "position 1", "reset 2"});
  expectInvalid(TokenStream::read({tokens({3}, {1, 2, 3}), "", save<std::int32_t>("r.npy", {2}, {1, 0})}, {1, 7, 0}),
                {"r.npy", "expected uint8"});
}
} // namespace
