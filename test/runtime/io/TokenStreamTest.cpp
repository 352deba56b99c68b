// Token, target and reset files: shapes, ranges and positions in messages.
#include "adjrt/io/TokenStream.h"
#include "TemporaryFolder.h"
#include "adjrt/io/Npy.h"

#include <fstream>

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

/// Elements [first, first + count) of a row, or of what the error says.
template <typename T>
std::vector<T> window(RowSource<T> &rows, std::int64_t row, std::int64_t first, std::int64_t count) {
  auto values = rows.window(row, first, count);
  EXPECT_TRUE(values) << values.error().message;
  return values ? std::vector<T>(values->begin(), values->end()) : std::vector<T>();
}
using Ids = std::vector<std::int32_t>;
using Flags = std::vector<std::uint8_t>;

TEST_F(Tokens, InputsAndTargetsShareTheFile) {
  auto stream = TokenStream::read({tokens({2, 3}, {1, 2, 3, 4, 5, 6}), "", ""}, {2, 7, 2});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->tokens, 2);
  EXPECT_EQ(window(stream->inputs(), 1, 0, 2), (Ids{4, 5}));
  EXPECT_EQ(window(stream->targets(), 1, 0, 2), (Ids{5, 6}));
  EXPECT_EQ(window(stream->targets(), 0, 1, 1), Ids{3});
  EXPECT_EQ(stream->resets(), nullptr);
}

TEST_F(Tokens, SeparateTargetsAndResets) {
  auto stream = TokenStream::read(
      {tokens({2}, {1, 2}), save<std::int32_t>("y.npy", {1, 2}, {-100, 3}), save<std::uint8_t>("r.npy", {2}, {1, 0})},
      {1, 7, 0});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->tokens, 2);
  EXPECT_EQ(window(stream->inputs(), 0, 0, 2), (Ids{1, 2}));
  EXPECT_EQ(window(stream->targets(), 0, 0, 2), (Ids{-100, 3}));
  EXPECT_EQ(window(*stream->resets(), 0, 0, 2), (Flags{1, 0}));
}

TEST_F(Tokens, FromMemory) {
  TokenStream stream = TokenStream::fromMemory(2, 2, {1, 2, 3, 4, 5, 6}, {1, 0, 0, 1});
  EXPECT_EQ(window(stream.inputs(), 1, 0, 2), (Ids{4, 5}));
  EXPECT_EQ(window(stream.targets(), 1, 1, 1), Ids{6});
  EXPECT_EQ(window(*stream.resets(), 1, 1, 1), Flags{1});
}

/// Windows are checked whenever they are read: what was right when the file was opened need not be later.
TEST_F(Tokens, AFileThatChangesIsNoticed) {
  const std::int64_t length = 3 * kRowWindow;
  Ids ids(static_cast<std::size_t>(length) + 1, 4);
  const std::string file = tokens({length + 1}, ids);
  auto stream = TokenStream::read({file, "", ""}, {1, 7, 0});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(window(stream->targets(), 0, length - 2, 2), (Ids{4, 4}));
  {
    std::fstream change(file, std::ios::in | std::ios::out | std::ios::binary);
    change.seekp(-4, std::ios::end);
    change.write("\x09\0\0", 4);
  }
  expectInvalid(stream->targets().window(0, length - 2, 2),
                {"t.npy", "position " + std::to_string(length), "token 9", "vocabulary of 7"});
  EXPECT_EQ(window(stream->inputs(), 0, length - 2, 2), (Ids{4, 4}));
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_EQ(window(stream->inputs(), 0, 0, 2), (Ids{4, 4}));
  expectInvalid(stream->inputs().window(0, length - 2, 2), {"t.npy", "became shorter while it was read"});
}

/// What is wrong is found behind the first window too.
TEST_F(Tokens, EveryWindowIsChecked) {
  const std::int64_t width = 2 * kRowWindow + 5;
  Ids ids(static_cast<std::size_t>(2 * width), 1);
  ids.back() = 7;
  expectInvalid(TokenStream::read({tokens({2, width}, ids), "", ""}, {2, 7, 0}),
                {"sequence 1, position " + std::to_string(width - 1), "token 7"});
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
