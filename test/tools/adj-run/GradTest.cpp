// adj-run grad and bench: the JSON line, the gradients' file, and every error before anything is written.
#include "AdjRunFixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

using namespace adjrun::test;

namespace {
class Grad : public AdjRun {
protected:
  [[nodiscard]] std::vector<std::string> arguments(const std::string &file, const std::string &tokens,
                                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"grad",     file,   "--params", path("p.safetensors"),
                                    "--tokens", tokens, "--out",    path("g.safetensors")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// The run fails, and leaves no gradients behind.
  void expectRefused(int code, const std::vector<std::string> &arguments, const std::vector<std::string> &parts) const {
    std::size_t before = entries();
    expectFailure(code, arguments, parts);
    EXPECT_EQ(entries(), before);
  }
};

TEST_F(Grad, ReferenceGradientIsThatOfTheCrossEntropy) {
  std::string file = module();
  std::string params = this->params(file);
  Outcome outcome = run(arguments(file, tokens({1, 4}), {"--device", "reference"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  // One token: the gradient of the head is (softmax - onehot) times the embedded token.
  std::vector<float> table = readTensor(params, "backbone.embeddings.weight", 30),
                     head = readTensor(params, "lm_head.weight", 30);
  std::vector<double> logits(10);
  double sum = 0;
  for (std::size_t v = 0; v != 10; ++v) {
    for (std::size_t c = 0; c != 3; ++c)
      logits[v] += static_cast<double>(head[3 * v + c]) * static_cast<double>(table[3 + c]);
    sum += std::exp(logits[v]);
  }
  std::vector<float> gradient = readTensor(path("g.safetensors"), "lm_head.weight", 30);
  for (std::size_t v = 0; v != 10; ++v)
    for (std::size_t c = 0; c != 3; ++c)
      EXPECT_NEAR(gradient[3 * v + c], (std::exp(logits[v]) / sum - (v == 4)) * static_cast<double>(table[3 + c]),
                  1e-6);
  auto line = nlohmann::json::parse(outcome.out);
  EXPECT_NEAR(line["loss"].get<double>(), std::log(sum) - logits[4], 1e-9);
  EXPECT_EQ(line["device"], "reference");
}

TEST_F(Grad, PrintsOneJsonLine) {
  std::string file = module();
  params(file);
  Outcome outcome = run(arguments(file, tokens({1, 4, 5, 2, 3, 3, 7, 1})));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
  auto line = nlohmann::json::parse(outcome.out);
  for (const char *key : {"loss", "tokens", "seconds", "tokens_per_second", "arena_bytes", "peak_bytes",
                          "predicted_peak_bytes", "device", "ranks"})
    EXPECT_TRUE(line.contains(key)) << key;
  EXPECT_EQ(line["tokens"], 7);
  EXPECT_GT(line["arena_bytes"], 0);
  EXPECT_GT(line["peak_bytes"], line["arena_bytes"]);
  ASSERT_EQ(line["ranks"].size(), 1U);
  EXPECT_EQ(line["ranks"][0]["rank"], 0);
  EXPECT_EQ(line["ranks"][0]["peak_bytes"], line["peak_bytes"]);
  EXPECT_EQ(readTensor(path("g.safetensors"), "lm_head.weight", 30), std::vector<float>(30, 0));
}

TEST_F(Grad, TiedHeadMayBeInTheFile) {
  std::string untied = module();
  params(untied);
  std::string tied = module({.tied = true});
  EXPECT_EQ(run(arguments(tied, tokens({1, 2}), {"--device", "reference"})).code, 0);
  // Tied, the table gathers both gradients, and the file holds just that tensor.
  auto source = adjrt::ParameterSource::open(path("g.safetensors"));
  ASSERT_TRUE(source);
  EXPECT_EQ(source->tensors().size(), 1U);
}

TEST_F(Grad, WrongParameters) {
  std::string tied = module({.tied = true});
  params(tied);
  std::string file = module();
  expectRefused(2, arguments(file, tokens({1, 2})),
                {"p.safetensors", "1 missing", "lm_head.weight, expected shape (10, 3)"});
  file = module({.vocabulary = 11, .tied = true});
  expectRefused(2, arguments(file, tokens({1, 2})),
                {"misshaped: backbone.embeddings.weight, expected shape (11, 3), found (10, 3)"});
  std::filesystem::remove(path("p.safetensors"));
  expectRefused(2, arguments(file, tokens({1, 2})), {"p.safetensors", "cannot be opened"});
}

TEST_F(Grad, WrongTokens) {
  std::string file = module();
  params(file);
  expectRefused(2, arguments(file, tokens({1, 2, 10, 3})),
                {"t.npy", "sequence 0, position 2", "token 10", "vocabulary of 10"});
  expectRefused(2, arguments(file, tokens({1})), {"t.npy", "no token"});
  expectRefused(2, arguments(file, tokens(std::vector<std::int32_t>(70, 1))), {"69 tokens", "at most 64", "--context"});
  std::string few = tokens({-100, -100}, "y.npy");
  expectRefused(2, arguments(file, tokens({1, 2}), {"--targets", few}), {"y.npy", "every target is -100"});
}

TEST_F(Grad, WrongOptions) {
  std::string file = module();
  params(file);
  std::string t = tokens({1, 2});
  onFakeGpu(ADJRT_FAKE_CUDA);
  expectRefused(2, arguments(file, t, {"--device", "cuda:0"}), {"tiny.adjm", "compiled for the cpu, not for cuda:0"});
  expectRefused(2, arguments(file, t, {"--device", "abacus"}), {"abacus"});
  expectRefused(2, arguments(file, t, {"--device", "reference", "--trace", path("x.json")}), {"--trace", "reference"});
  expectRefused(2, arguments(file, t, {"--trace", path("no/x.json")}), {"no/x.json", "cannot be written"});
  expectRefused(2, arguments(file, t, {"--trace", path("g.safetensors")}), {"--out", "is also --trace"});
  std::vector<std::string> onInput = arguments(file, t);
  for (const std::string &input : {file, path("p.safetensors"), path("./t.npy")}) {
    onInput.back() = input;
    expectRefused(2, onInput, {"--out " + input, "is also", "give another file"});
  }
  std::vector<std::string> unwritable = arguments(file, t);
  unwritable.back() = path("no/g.safetensors");
  expectRefused(2, unwritable, {"no/g.safetensors", "cannot be written"});
  file = module({.target = "sm_90"});
  expectRefused(2, arguments(file, t, {"--device", "cpu"}), {"tiny.adjm", "compiled for sm_90, not for the cpu"});
  onFakeGpu(ADJRT_BARE_CUDA);
  expectRefused(2, arguments(file, t),
                {"tiny.adjm: its target is sm_90: device 'cuda:0': ", "libcuda.so.1 has no function"});
  EXPECT_EQ(run(arguments(file, t, {"--device", "reference"})).code, 0) << "the reference runs modules of any target";
}

/// The device of a module for a GPU is cuda:0, and it may be named.
TEST_F(Grad, OnAGpu) {
  onFakeGpu(ADJRT_FAKE_CUDA);
  std::string file = module({.target = "sm_90"});
  params(file);
  for (const std::vector<std::string> &device : {std::vector<std::string>{}, {"--device", "cuda:0"}}) {
    Outcome outcome = run(arguments(file, tokens({1, 2}), device));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("\"device\":\"Fake GPU\""), std::string::npos) << outcome.out;
  }
}

TEST_F(Grad, LossThatIsNotFinite) {
  std::string file = module();
  auto writer = adjrt::SafetensorsWriter::create(
      path("p.safetensors"), {{"backbone.embeddings.weight", {10, 3}}, {"lm_head.weight", {10, 3}}});
  ASSERT_TRUE(writer);
  std::vector<float> table(30, 1);
  table[3 * 5] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(writer->write(0, table));
  ASSERT_TRUE(writer->write(1, std::vector<float>(30, 1)));
  ASSERT_TRUE(writer->commit());
  expectRefused(1, arguments(file, tokens({1, 2, 5, 4}), {"--device", "reference"}),
                {"the loss is not finite, first at token 2"});
}

/// The events of a trace by track; those of the compute track lie within the schedule's that ran them.
static std::map<std::string, std::vector<nlohmann::json>> tracksOf(const std::string &text) {
  std::map<int, std::string> names;
  std::map<std::string, std::vector<nlohmann::json>> tracks;
  const nlohmann::json events = nlohmann::json::parse(text)["traceEvents"];
  for (const auto &event : events)
    if (event["ph"] == "M" && event["name"] == "thread_name")
      names[event["tid"]] = event["args"]["name"];
  for (const auto &event : events) {
    if (event["ph"] == "M")
      continue;
    EXPECT_EQ(event["ph"], "X");
    EXPECT_GE(event["dur"], 0);
    tracks[names.at(event["tid"])].push_back(event);
  }
  return tracks;
}

TEST_F(Grad, Trace) {
  std::string file = module();
  params(file);
  ASSERT_EQ(run(arguments(file, tokens({1, 4, 5, 2, 3, 3, 7, 1}), {"--trace", path("x.json")})).code, 0);
  std::vector<std::string> names;
  auto tracks = tracksOf(readBytes("x.json"));
  for (const auto &event : tracks["schedule"])
    names.push_back(event["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"save 0", "forward 0", "gradient 1", "restore 0", "gradient 0"}));
}

/// Commands under their names, on their tracks, inside the action that ran them; boundaries on their way.
TEST_F(Grad, TraceOfCommandsAndTransfers) {
  for (const char *device : {"cpu", "cuda:0"}) {
    const std::string file = module({.target = std::string(device) == "cpu" ? "cpu" : "sm_80", .moving = true});
    params(file);
    onFakeGpu(ADJRT_FAKE_CUDA);
    Outcome outcome =
        run(arguments(file, tokens({1, 4, 5, 2, 3, 3, 7, 1, 2}), {"--trace", path("x.json"), "--device", device}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_GT(nlohmann::json::parse(outcome.out)["host_bytes"], 64);
    auto tracks = tracksOf(readBytes("x.json"));
    std::vector<std::string> names;
    for (const auto &event : tracks["schedule"])
      names.push_back(event["name"]);
    EXPECT_EQ(names, (std::vector<std::string>{"offload 0", "forward 0", "prefetch 0", "gradient 1", "restore 0",
                                               "gradient 0"}));
    const auto inside = [&](const nlohmann::json &event) {
      for (const auto &action : tracks["schedule"])
        if (action["args"]["index"] == event["args"]["shard"] &&
            std::string(action["name"]).starts_with(std::string(event["args"]["program"])))
          return event["ts"].get<double>() >= action["ts"].get<double>() - 1e-3 &&
                 event["ts"].get<double>() + event["dur"].get<double>() <=
                     action["ts"].get<double>() + action["dur"].get<double>() + 1e-3;
      return false;
    };
    std::vector<std::string> found;
    for (const auto &event : tracks["compute"]) {
      // The fake GPU's clock runs by itself: a fill there takes longer than a whole action here.
      EXPECT_TRUE(std::string(device) != "cpu" || inside(event)) << event.dump();
      found.push_back(std::string(event["name"]) + " " + std::to_string(event["args"]["layer"].get<int>()) + " of " +
                      std::to_string(event["args"]["shard"].get<int>()));
    }
    EXPECT_EQ(found, (std::vector<std::string>{"fill at spec.mlir:3:1 0 of 1", "fill at spec.mlir:3:1 1 of 1",
                                               "await 0 of 1", "fill at spec.mlir:3:1 0 of 0",
                                               "fill at spec.mlir:3:1 1 of 0", "await 0 of 0"}));
    found.clear();
    for (const char *track : {"to host", "to device"})
      for (const auto &event : tracks[track])
        found.push_back(std::string(track) + ": " + std::string(event["name"]) + ", " +
                        std::to_string(event["args"]["bytes"].get<int>()) + " bytes");
    EXPECT_EQ(found, (std::vector<std::string>{
                         "to host: boundary to host, 64 bytes", "to host: save at spec.mlir:4:1, 64 bytes",
                         "to host: save at spec.mlir:4:1, 64 bytes", "to host: save at spec.mlir:4:1, 64 bytes",
                         "to host: save at spec.mlir:4:1, 64 bytes", "to device: boundary to device, 64 bytes"}));
  }
}

TEST_F(Grad, BatchesFollowTheirRows) {
  std::string file = module({.batch = 2});
  params(file);
  std::vector<std::int32_t> values = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE(adjrt::writeNpy(path("b.npy"), std::vector<std::int64_t>{2, 3}, std::span<const std::int32_t>(values)));
  Outcome together = run(arguments(file, path("b.npy"), {"--device", "reference"}));
  ASSERT_EQ(together.code, 0) << together.err;
  file = module();
  double sum = 0;
  for (const std::vector<std::int32_t> &row : {std::vector<std::int32_t>{1, 2, 3}, {4, 5, 6}})
    sum +=
        nlohmann::json::parse(run(arguments(file, tokens(row), {"--device", "reference"})).out)["loss"].get<double>();
  EXPECT_NEAR(nlohmann::json::parse(together.out)["loss"].get<double>(), sum / 2, 1e-12);
}

TEST_F(Grad, Bench) {
  Outcome outcome = run({"bench", module(), "--runs", "2"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["tokens"], 4) << "one shard by default";
  Outcome profiled = run({"bench", module(), "--runs", "2", "--profile"});
  ASSERT_EQ(profiled.code, 0) << profiled.err;
  EXPECT_NE(profiled.out.find("\n  total "), std::string::npos) << profiled.out;
  EXPECT_EQ(nlohmann::json::parse(profiled.out.substr(profiled.out.find('{')))["tokens"], 4);
  expectFailure(2, {"bench", module(), "--tokens", "65"}, {"--tokens 65", "at most 64", "--context=65"});
}

TEST_F(Grad, BenchRefusesToProfileTheReference) {
  expectFailure(2, {"bench", module(), "--profile", "--device", "reference"}, {"--profile", "--device cpu"});
  expectFailure(2, {"bench", module(), "--alone", "--device", "reference"}, {"--alone", "--device cpu"});
  expectFailure(2, {"bench", module(), "--alone", "--profile"}, {"--alone", "--profile"});
}
} // namespace
