// The tables of adj-run bench --profile, from timings made by hand.
#include "Profile.h"
#include "TestModule.h"

#include <gtest/gtest.h>

#include <regex>
#include <sstream>

using namespace adjrt;
using namespace adjrt::test;

namespace {

TEST(Profile, AddsUpLayersAndNamesCommandsAndKinds) {
  fb::ModuleT table = minimalModule();
  table.plan->fixed_bytes = 4096;
  fb::ProgramT &program = *table.programs[1];
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("x", fb::BufferKind::arena, 0, 4096)));
  addBlock(program, 3);
  addCommand(program, gemm(ref(0), ref(0), ref(0), rows(), fixed(2), fixed(1), 1, 2, 2), "gemm at spec.mlir:7:3");
  addCommand(program, fill(ref(0), fixed(64)));
  auto parsed = parseImage(fileImage(std::move(table)));
  ASSERT_TRUE(parsed) << parsed.error().message;
  adjrun::Profile profile(**parsed);
  profile.add({1, 0, 0, 0, 1, 4, 4, 7, 8}); // the warm-up's
  profile.clear();
  for (std::uint64_t layer = 0; layer < 3; ++layer) // 3 of 1 ms, 16 operations each
    profile.add({1, 0, 0, layer, 1, 4, 4, 7, 7.001});
  profile.add({1, 0, 1, 0, 1, 4, 4, 8, 8.001});
  std::ostringstream out;
  profile.print(out, 1);
  const std::string text = out.str();
  const auto has = [&](const char *pattern) { return std::regex_search(text, std::regex(pattern)); };
  EXPECT_TRUE(has(R"(gemm rows x 2 x 1 +spec\.mlir:7:3 +3 +3\.00 +75\.0)")) << text;
  EXPECT_TRUE(has(R"(fill +1 +1\.00 +25\.0)")) << text;
  EXPECT_TRUE(has(R"(kind[^]*gemm +3 +3\.00 +75\.0[^]*fill +1 +1\.00 +25\.0[^]*total +4 +4\.00 +100\.0)")) << text;
}

TEST(Profile, TimesAreThoseOfOneRun) {
  fb::ModuleT table = minimalModule();
  table.plan->fixed_bytes = 4096;
  fb::ProgramT &program = *table.programs[1];
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("x", fb::BufferKind::arena, 0, 4096)));
  addBlock(program);
  addCommand(program, gemm(ref(0), ref(0), ref(0), fixed(10), fixed(20), fixed(5), 5, 20, 20));
  auto parsed = parseImage(fileImage(std::move(table)));
  ASSERT_TRUE(parsed) << parsed.error().message;
  adjrun::Profile profile(**parsed);
  for (int run = 0; run < 4; ++run)
    profile.add({1, 0, 0, 0, 1, 4, 4, 0, 1e-6}); // 2000 operations in a microsecond
  std::ostringstream out;
  profile.print(out, 4);
  EXPECT_TRUE(std::regex_search(out.str(), std::regex(R"(gemm 10 x 20 x 5 +1 +0\.00 +100\.0 +2\.0)"))) << out.str();
}

} // namespace
