// adj-run bench --alone: its tables, from timings made by hand and from runs.
#include "Alone.h"
#include "AdjRunFixture.h"

#include <nlohmann/json.hpp>
#include <regex>

using namespace adjrun::test;
using namespace adjrt;
using namespace adjrt::test;

namespace {

/// Says what commands take alone.
class Stopwatch final : public adjrun::Evaluator {
public:
  std::string deviceName() const override { return "stopwatch"; }
  Status setParameter(std::uint32_t, std::span<const float>, std::uint64_t) override { return {}; }
  Status getParameter(std::uint32_t, std::span<float>, std::uint64_t) override { return {}; }
  Status getGradient(std::uint32_t, std::span<float>, std::uint64_t) override { return {}; }
  Expected<adjrun::Evaluation> valueAndGrad(const TokenStream &) override { return adjrun::Evaluation{}; }
  Status step(const AdamWOptions &) override { return {}; }
  Status observeCommands(CommandObserver) override { return {}; }
  Expected<adjrun::MemoryFigures> memory(std::int64_t) const override { return adjrun::MemoryFigures{}; }
  Expected<double> timeAlone(const TokenStream &, const CommandPlace &place, std::int64_t tokens, int times) override {
    asked.push_back({place.program, place.block, place.command, tokens, times});
    return 1e-3 * (place.command + 1) * (tokens == 4 ? 1 : 0.5);
  }
  std::vector<std::vector<std::int64_t>> asked;
};

class AloneTables : public AdjRun {};

TEST_F(AloneTables, AddUpShardsOfEachLength) {
  fb::ModuleT table = minimalModule();
  table.plan->fixed_bytes = 4096;
  fb::ProgramT &program = *table.programs[1];
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("x", fb::BufferKind::arena, 0, 4096)));
  for (const char *op : {"ssm.scan", "ssm.rms_norm"}) {
    table.kernels.push_back(std::make_unique<fb::KernelT>());
    table.kernels.back()->name = std::string("kernel of ") + op;
    table.kernels.back()->op = op;
    table.kernels.back()->operand_count = 1;
  }
  addBlock(program, 3);
  addCommand(program, gemm(ref(0), ref(0), ref(0), rows(), fixed(2), fixed(1), 1, 2, 2), "gemm at spec.mlir:7:3");
  addCommand(program, dispatch(0, {ref(0)}, fixed(1)));
  addCommand(program, fill(ref(0), fixed(64)));
  addCommand(program, dispatch(1, {ref(0)}, fixed(1)));
  auto parsed = parseImage(fileImage(std::move(table), {"code"}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  adjrun::Alone alone(**parsed, 10); // two shards of 4 tokens, and one of 2
  for (std::int64_t shard : {2, 1, 0}) {
    ActionTiming action;
    action.action = {Action::Kind::Gradient, shard, 0};
    alone.add(action);
    const std::int64_t tokens = shard == 2 ? 2 : 4;
    for (std::uint64_t layer = 0; layer < 3; ++layer)
      for (std::uint32_t command = 0; command < 4; ++command)
        alone.add({1, 0, command, layer, 1, tokens, tokens, 0, 2e-3});
  }
  Stopwatch watch;
  TokenStream stream = TokenStream::fromMemory(1, 1, {1, 2});
  ASSERT_TRUE(alone.measure(watch, stream, 7));
  EXPECT_EQ(watch.asked.size(), 8u);
  EXPECT_EQ(watch.asked[0], (std::vector<std::int64_t>{1, 0, 0, 2, 7}));
  EXPECT_EQ(watch.asked[7], (std::vector<std::int64_t>{1, 0, 3, 4, 7}));
  std::ostringstream out;
  alone.print(out, 0.05);
  const std::string text = out.str();
  const auto has = [&](const char *pattern) { return std::regex_search(text, std::regex(pattern)); };
  // Alone 1 ms in each whole shard and half of it in the last; 2 x rows x 2 operations in each of 3 layers.
  EXPECT_TRUE(has(R"(gemm rows x 2 x 1 +spec\.mlir:7:3 +9 +18\.00 +2\.50 +5\.0 +0\.0)")) << text;
  EXPECT_TRUE(has(R"(kernel of ssm\.scan +9 +18\.00 +5\.00 +10\.0)")) << text;
  EXPECT_TRUE(has(R"(kind[^]*ssm\.rms_norm +9 +18\.00 +10\.00 +20\.0[^]*fill +9 +18\.00 +7\.50 +15\.0)")) << text;
  EXPECT_TRUE(has(R"(total +36 +72\.00 +25\.00 +50\.0)")) << text;
  EXPECT_TRUE(
      has("products 2\\.50 ms, recurrences 5\\.00 ms, copies 7\\.50 ms; together 15\\.00 ms of 50\\.00 ms, 0\\.300 of"))
      << text;
  EXPECT_FALSE(has("transfers")) << text;
}

/// Both devices, on a program of fills and transfers: the table, and grad's line after it.
TEST_F(AloneTables, OfRuns) {
  for (const char *device : {"cpu", "cuda:0"}) {
    const std::string file = module({.target = std::string(device) == "cpu" ? "cpu" : "sm_80", .moving = true});
    onFakeGpu(ADJRT_FAKE_CUDA);
    Outcome outcome = run({"bench", file, "--runs", "2", "--tokens", "6", "--alone", "--device", device});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    // Shards of 4 and 2 tokens, two layers each.
    EXPECT_TRUE(std::regex_search(outcome.out, std::regex(R"(gradient[^]*fill +spec\.mlir:3:1 +4 )"))) << outcome.out;
    EXPECT_TRUE(std::regex_search(outcome.out, std::regex(R"(transfer +spec\.mlir:4:1 +4 )"))) << outcome.out;
    EXPECT_EQ(outcome.out.find("await"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("alone: transfers, which run beside the rest, "), std::string::npos) << outcome.out;
    if (device == std::string("cuda:0")) // 1 ms each on the fake clock
      EXPECT_TRUE(std::regex_search(outcome.out, std::regex(R"(copies 4\.00 ms)"))) << outcome.out;
    EXPECT_EQ(nlohmann::json::parse(outcome.out.substr(outcome.out.find('{')))["tokens"], 6);
  }
}
} // namespace
