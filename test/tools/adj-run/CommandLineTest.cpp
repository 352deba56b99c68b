// Exit codes and messages of the command line itself, init and info.
#include "AdjRunFixture.h"

#include "CommandLine.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace adjrun::test;

namespace {
TEST_F(AdjRun, HelpAndVersionExitZero) {
  Outcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char *verb : {"init", "grad", "check", "train", "bench", "info"})
    EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
  EXPECT_EQ(run({"grad", "--help"}).code, 0);
  EXPECT_EQ(run({"--version"}).code, 0);
}

TEST_F(AdjRun, WrongCommandLinesExitTwo) {
  expectFailure(2, {}, {"subcommand is required"});
  expectFailure(2, {"dance"}, {"'dance' is not a verb", "use init, grad"});
  expectFailure(2, {"info"}, {"MODULE is required"});
  expectFailure(2, {"init", module()}, {"--out is required"});
  expectFailure(2, {"init", module(), "--out", path("p"), "--seed", "x"}, {"--seed"});
  expectFailure(2, {"bench", module(), "--tokens", "0"}, {"--tokens", "'0' is not a whole number of at least 1"});
  expectFailure(2, {"info", module(), "--colour"}, {"--colour"});
}

TEST_F(AdjRun, LostOutputIsAFailure) {
  std::ofstream full("/dev/full");
  std::ostringstream err;
  EXPECT_EQ(adjrun::runCommandLine({"info", module()}, {full, err, false}), 1);
  EXPECT_NE(err.str().find("standard output cannot be written"), std::string::npos) << err.str();
}

TEST_F(AdjRun, WrongModules) {
  expectFailure(2, {"info", path("none.adjm")}, {"adj-run: error: ", "none.adjm"});
  std::string image = (module(), readBytes("tiny.adjm"));
  expectFailure(2, {"info", writeBytes("cut.adjm", image.substr(0, image.size() / 2))}, {"cut.adjm"});
  image[100] ^= 1;
  expectFailure(2, {"init", writeBytes("bad.adjm", image), "--out", path("p")}, {"bad.adjm", "checksum"});
  EXPECT_FALSE(std::filesystem::exists(path("p")));
}

TEST_F(AdjRun, SeveralRanksAreNotBuiltYet) {
  ::setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  expectFailure(2, {"info", module()}, {"OMPI_COMM_WORLD_SIZE=2", "not built yet"});
  ::setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  EXPECT_EQ(run({"info", module()}).code, 0);
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
}

TEST_F(AdjRun, InitIsAFunctionOfTheSeed) {
  std::string file = module();
  for (auto [seed, name] : {std::pair{"1", "a"}, {"1", "b"}, {"2", "c"}})
    EXPECT_EQ(run({"init", file, "--seed", seed, "--out", path(name)}).code, 0);
  EXPECT_EQ(readBytes("a"), readBytes("b"));
  EXPECT_NE(readBytes("a"), readBytes("c"));
  std::vector<float> table = readTensor(path("a"), "backbone.embeddings.weight", 30);
  EXPECT_NE(table, readTensor(path("a"), "lm_head.weight", 30));
}

TEST_F(AdjRun, InitErrors) {
  expectFailure(2, {"init", module(), "--out", path("no/p")}, {"no/p", "cannot be written"});
}

TEST_F(AdjRun, Info) {
  Outcome table = run({"info", module()});
  EXPECT_EQ(table.code, 0) << table.err;
  for (const char *part : {"tiny", "parameters", "60", "cpu, f32", "4 tokens", "64 tokens", "gradient"})
    EXPECT_NE(table.out.find(part), std::string::npos) << part << " is not in\n" << table.out;
  Outcome json = run({"info", module(), "--json"});
  EXPECT_EQ(json.code, 0);
  auto info = nlohmann::json::parse(json.out);
  EXPECT_EQ(info["target"], "cpu");
  EXPECT_EQ(info["dtype"], "f32");
  EXPECT_EQ(info["shard"], 4);
  EXPECT_EQ(info["context"], 64);
  EXPECT_EQ(info["parameters"], 60);
  EXPECT_EQ(info["programs"].size(), 2U);
}
} // namespace
