// When commands ran, by the events of the fake GPU: a fill takes 1 ms there, a kernel 2.
#include "FakeGpu.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {

class Timing : public FakeGpu {
protected:
  /// A device with a program of a fill and a kernel in each of two layers, and its arena.
  std::unique_ptr<Device> open() {
    auto device = make();
    opened = module([](fb::ModuleT &m) {
      m.programs[1]->blocks.clear();
      addBlock(*m.programs[1], 2);
      addCommand(*m.programs[1], fill(ref(0), fixed(4)));
      addCommand(*m.programs[1], dispatch(0, {ref(0)}, fixed(1)), "spec.mlir:7:1");
    });
    EXPECT_TRUE(device->open(*opened));
    EXPECT_TRUE(device->reserve(512));
    device->observeCommands([&](const CommandTiming &timing) { seen.push_back(timing); });
    return device;
  }
  std::unique_ptr<Module> opened;
  std::vector<CommandTiming> seen;
};

TEST_F(Timing, OfEveryCommandOnTheClockOfTheGpu) {
  auto device = open();
  ASSERT_TRUE(device->run(1, bindings(4)));
  ASSERT_TRUE(device->zero(0, 4)); // 1 ms between the programs
  ASSERT_TRUE(device->run(1, bindings(3)));
  ASSERT_EQ(seen.size(), 8u);
  double clock = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const CommandTiming &t = seen[i];
    clock += i == 4 ? 1e-3 : 0;
    EXPECT_DOUBLE_EQ(t.begin, clock) << i;
    clock += i % 2 ? 2e-3 : 1e-3;
    EXPECT_DOUBLE_EQ(t.end, clock) << i;
    EXPECT_EQ(t.program, 1u);
    EXPECT_EQ(t.command, i % 2);
    EXPECT_EQ(t.layer, i / 2 % 2);
    EXPECT_EQ(t.tokens, i < 4 ? 4 : 3);
  }
}

TEST_F(Timing, EndsWithTheObserverAndGivesItsEventsBack) {
  auto device = open();
  const std::uint64_t events = fake.events;
  for (int run = 0; run < 3; ++run)
    ASSERT_TRUE(device->run(1, bindings(4)));
  EXPECT_EQ(fake.events, events + 6) << "5 of the program, and the last of the one before";
  device->observeCommands({});
  EXPECT_EQ(fake.events, events);
  seen.clear();
  const int records = fake.calls["cuEventRecord"];
  ASSERT_TRUE(device->run(1, bindings(4)));
  EXPECT_EQ(fake.calls["cuEventRecord"], records);
  EXPECT_TRUE(seen.empty());
}

/// All that a run does of a command, from a graph or command by command; on the fake GPU's clock.
TEST_F(Timing, OfACommandAlone) {
  for (const char *graphs : {"1", "0"}) {
    setenv("ADJRT_CUDA_GRAPHS", graphs, 1);
    auto device = open();
    ASSERT_TRUE(device->run(1, bindings(4)));
    const std::size_t told = seen.size();
    const int launches = fake.calls["cuGraphLaunch"];
    auto fills = device->timeAlone({1, 0, 0}, bindings(4), 3);
    ASSERT_TRUE(fills) << fills.error().message;
    EXPECT_DOUBLE_EQ(*fills, 2e-3) << "in two layers, 1 ms each";
    EXPECT_EQ(fake.calls["cuGraphLaunch"], launches + (graphs[0] == '1' ? 4 : 0)) << "once to warm up";
    auto kernels = device->timeAlone({1, 0, 1}, bindings(4), 2);
    ASSERT_TRUE(kernels) << kernels.error().message;
    EXPECT_DOUBLE_EQ(*kernels, 4e-3);
    EXPECT_EQ(seen.size(), told) << "observers are told of runs";
    expectError(device->timeAlone({1, 0, 2}, bindings(4), 1), ErrorKind::Failed, {"no command 2", "block 0"});
    expectError(device->timeAlone({2, 0, 0}, bindings(4), 1), ErrorKind::Failed, {"program 2"});
    fake.failures = {{"cuEventElapsedTime", {1, 1}}};
    expectError(device->timeAlone({1, 0, 1}, bindings(4), 1), ErrorKind::Failed, {"cuda:0: cuEventElapsedTime"});
    fake.failures.clear();
    ASSERT_TRUE(device->run(1, bindings(4))) << "it can be used as before";
  }
}

TEST_F(Timing, ErrorsAreReported) {
  auto device = open();
  fake.failures = {{"cuEventElapsedTime", {2, 1}}};
  expectError(device->run(1, bindings(4)), ErrorKind::Failed, {"cuda:0: cuEventElapsedTime: CUDA_ERROR_INVALID_VALUE"});
  fake.failures = {{"cuEventRecord", {2, 1}}};
  expectError(
      device->run(1, bindings(4)), ErrorKind::Failed,
      {"block 0, command 1 (spec.mlir:7:1), layer 0: kernel 'shapes': cuEventRecord: CUDA_ERROR_INVALID_VALUE"});
  fake.failures.clear();
  fake.laterError = 700;
  expectError(device->run(1, bindings(4)), ErrorKind::Failed,
              {"cuda:0: cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS"});
}

} // namespace
