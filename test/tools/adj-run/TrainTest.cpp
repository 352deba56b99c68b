// adj-run train: what it prints and writes, its data, and its errors.
#include "AdjRunFixture.h"
#include "TrainingData.h"

#include <set>

using namespace adjrun::test;
using adjrun::TrainingData;

namespace {
class Train : public AdjRun {
protected:
  [[nodiscard]] std::vector<std::string> arguments(const std::string &file, const std::string &data,
                                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"train", file, "--data", data, "--steps", "40", "--out", path("out.safetensors")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void expectRefused(const std::vector<std::string> &arguments, const std::vector<std::string> &parts) const {
    std::size_t before = entries();
    expectFailure(2, arguments, parts);
    EXPECT_EQ(entries(), before);
  }
};

/// The inputs, then the targets, of a sampled window of one sequence or the first of several.
std::vector<std::int32_t> windowOf(const TrainingData &data, std::int64_t batch, std::int64_t length,
                                   std::int64_t step) {
  std::vector<std::int32_t> ids;
  auto stream = data.sample(batch, length, 7, step);
  EXPECT_TRUE(stream) << stream.error().message;
  if (!stream)
    return ids;
  for (auto *rows : {&stream->inputs(), &stream->targets()}) {
    auto values = rows->window(0, 0, length);
    EXPECT_TRUE(values);
    ids.insert(ids.end(), values->begin(), values->end());
  }
  return ids;
}

TEST_F(Train, PrintsLinesAndWritesParameters) {
  std::string file = module({.vocabulary = 256});
  Outcome outcome =
      run(arguments(file, writeBytes("text", "to be or not to be, that is the question"), {"--seed", "5"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("step 1/40  loss "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("step 40/40  loss "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("trained 40 steps of 39 tokens"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(readTensor(path("out.safetensors"), "lm_head.weight", 768).size(), 768U);
}

TEST_F(Train, DrawsABarOnATerminal) {
  std::string file = module({.vocabulary = 256});
  Outcome outcome = run(arguments(file, writeBytes("text", "abcabcabc")), true);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("[##############################] step 40/40"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out.find("step 1/"), std::string::npos) << outcome.out;
}

TEST_F(Train, StartsFromGivenParameters) {
  // The module's programs are empty: all gradients are 0, so without weight decay nothing moves.
  std::string file = module({.vocabulary = 256});
  std::string start = params(file);
  ASSERT_EQ(run(arguments(file, writeBytes("text", "abcabcabc"), {"--params", start, "--weight-decay", "0"})).code, 0);
  EXPECT_EQ(readTensor(start, "lm_head.weight", 768), readTensor(path("out.safetensors"), "lm_head.weight", 768));
}

TEST_F(Train, Errors) {
  std::string small = module();
  std::string text = writeBytes("text", "some text");
  expectRefused(arguments(small, text), {"text", "vocabulary of at least 256", "has 10"});
  expectRefused(arguments(small, tokens({1, 2, 11})), {"t.npy", "position 2", "token 11", "vocabulary of 10"});
  expectRefused(arguments(small, tokens({1})), {"t.npy", "has 1 tokens"});
  expectRefused(arguments(small, path("none")), {"none"});
  std::string data = tokens({1, 2, 3});
  expectRefused(arguments(small, data, {"--tokens", "3"}), {"--tokens 3", "only 3 tokens"});
  expectRefused(arguments(small, data, {"--tokens", "65"}), {"--tokens 65", "at most 64"});
  expectRefused(arguments(small, data, {"--checkpoint", path("c")}), {"--checkpoint", "not built yet"});
  expectRefused(arguments(small, data, {"--resume"}), {"--resume", "not built yet"});
  expectRefused(arguments(small, data, {"--device", "reference"}), {"gradients only"});
  expectRefused(arguments(small, path("out.safetensors")), {"--out", "is also --data"});
  expectRefused(arguments(small, data, {"--lr", "-1"}), {"--lr"});
  expectRefused(arguments(small, data, {"--params", path("none")}), {"none", "cannot be opened"});
}

TEST_F(Train, WindowsAreAFunctionOfSeedAndStep) {
  auto data = TrainingData::read(writeBytes("text", "abcdefghijklmnopqrstuvwxyz\xff"), 256);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->size(), 27);
  std::set<std::int32_t> begins;
  bool sawLast = false;
  for (std::int64_t step = 0; step != 400; ++step) {
    const auto ids = windowOf(*data, 1, 4, step);
    ASSERT_EQ(ids.size(), 8U);
    begins.insert(ids[0]);
    for (std::size_t i = 0; i != 4; ++i)
      sawLast |= ids[4 + i] == 255;
    EXPECT_TRUE(std::equal(ids.begin() + 1, ids.begin() + 4, ids.begin() + 4));
  }
  EXPECT_EQ(begins.size(), 23U) << "every place a window fits is drawn";
  EXPECT_TRUE(sawLast) << "bytes are unsigned, and the last is a target";
  EXPECT_EQ(windowOf(*data, 2, 4, 3), windowOf(*data, 2, 4, 3));
  // A window as long as the data leaves no choice.
  EXPECT_EQ(windowOf(*data, 1, 26, 0)[0], 'a');
}

TEST_F(Train, WindowsOfATokenFileAreReadFromIt) {
  std::vector<std::int32_t> ids(20000);
  for (std::size_t i = 0; i != ids.size(); ++i)
    ids[i] = static_cast<std::int32_t>(i % 9);
  const std::string file = tokens(ids);
  auto data = TrainingData::read(file, 9);
  ASSERT_TRUE(data) << data.error().message;
  for (std::int64_t step = 0; step != 20; ++step) {
    const auto window = windowOf(*data, 1, 3, step);
    for (std::size_t i = 1; i != 3; ++i)
      EXPECT_EQ(window[i], (window[0] + static_cast<std::int32_t>(i)) % 9);
  }
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  std::string message;
  for (std::int64_t step = 0; step != 20 && message.empty(); ++step)
    if (auto stream = data->sample(1, 3, 7, step); !stream)
      message = stream.error().message;
  EXPECT_NE(message.find("became shorter while it was read"), std::string::npos) << message;
  ids.back() = 9;
  expectRefused(arguments(module(), tokens({1, 2, 3, 10})), {"position 3", "token 10"});
  auto wrong = TrainingData::read(tokens(ids), 9);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("position 19999: token 9 is outside"), std::string::npos);
}
} // namespace
