// Runs that are alike are recorded once as a graph: what they do, and when none is made.
#include "FakeGpu.h"

#include <cstring>

using namespace adjrt;
using namespace adjrt::test;

namespace {

class Graphs : public FakeGpu {
protected:
  /// A device with a program that writes where it is (kernel "shapes") into its fixed part and into a slot, copies,
  /// fills and multiplies, in two layers.
  std::unique_ptr<Device> open(bool fillsSlots = false) {
    auto device = make();
    opened = module([=](fb::ModuleT &m) {
      m.plan->boundary_bytes = 256;
      fb::ProgramT &program = *m.programs[1];
      program.blocks.clear();
      program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("s", fb::BufferKind::carry_out, 0, 128, 128, 2)));
      addBlock(program, 2);
      addCommand(program, dispatch(0, {ref(0)}, rows()), "a");
      addCommand(program, dispatch(0, {ref(1)}, rows()), "b");
      addCommand(program, copy(ref(0), ref(0, 128), fixed(2), 8, 16, 16), "c");
      addCommand(program, fill(ref(0, 64), fixed(4)), "d");
      addCommand(program, gemm(ref(0, 128), ref(0, 128), ref(0, 192), fixed(2), fixed(2), fixed(2), 2, 2, 2), "e");
      if (fillsSlots)
        addCommand(program, fill(ref(1), fixed(4)));
    });
    EXPECT_TRUE(device->open(*opened));
    EXPECT_TRUE(device->reserve(kArena));
    EXPECT_TRUE(device->zero(0, kArena));
    return device;
  }
  static constexpr std::uint64_t kArena = 4096;

  static Bindings at(std::int64_t tokens, std::uint64_t slot) {
    Bindings result = bindings(tokens);
    result[fb::BufferKind::carry_out] = slot;
    return result;
  }

  /// What the arena holds after runs of 4, 3, 4, 3, 4, 4 tokens with slots of their own, and their launches.
  std::pair<std::vector<std::byte>, std::vector<std::string>> runs() {
    auto device = open();
    fake.launches.clear();
    std::uint64_t slot = 1024;
    for (std::int64_t tokens : {4, 3, 4, 3, 4, 4}) {
      EXPECT_TRUE(device->run(1, at(tokens, slot)));
      slot += 256;
    }
    std::vector<std::byte> result(kArena);
    EXPECT_TRUE(device->download(0, result));
    return {result, fake.launches};
  }

  std::unique_ptr<Module> opened;
};

TEST_F(Graphs, DoWhatTheCommandsDo) {
  setenv("ADJRT_CUDA_GRAPHS", "0", 1);
  const auto direct = runs();
  EXPECT_EQ(fake.calls["cuGraphLaunch"] + fake.calls["cuStreamBeginCapture"], 0);
  unsetenv("ADJRT_CUDA_GRAPHS");
  fake.calls.clear();
  const auto replayed = runs();
  EXPECT_EQ(replayed, direct);
  EXPECT_NE(std::memcmp(replayed.first.data() + 1024, replayed.first.data() + 3072, 256), 0) << "a slot was written";
  EXPECT_EQ(fake.calls["cuGraphInstantiate"], 2) << "of 4 tokens and of 3";
  EXPECT_EQ(fake.calls["cuGraphLaunch"], 4) << "all but the first of each";
  EXPECT_EQ(fake.calls["cuGraphAddKernelNode"], 4) << "the kernel on the slot in two layers, twice";
  EXPECT_EQ(fake.calls["cuGraphAddChildGraphNode"], 6) << "a graph is piece, b, piece, b, piece";
  EXPECT_EQ(fake.calls["cuGraphExecKernelNodeSetParams"], 4) << "in the last two runs, whose slots are new";
}

TEST_F(Graphs, SlotsThatStayAreNotSetAgain) {
  auto device = open();
  for (int run = 0; run < 5; ++run)
    ASSERT_TRUE(device->run(1, at(4, 1024)));
  EXPECT_EQ(fake.calls["cuGraphLaunch"], 4);
  EXPECT_EQ(fake.calls["cuGraphExecKernelNodeSetParams"], 0);
}

TEST_F(Graphs, AnotherPlaceOfTheFixedPartIsAnotherGraph) {
  auto device = open();
  for (std::uint64_t base : {0, 512, 0, 512}) {
    Bindings bound = at(4, 1024);
    bound[fb::BufferKind::arena] = base;
    ASSERT_TRUE(device->run(1, bound));
  }
  EXPECT_EQ(fake.calls["cuGraphInstantiate"], 2);
}

TEST_F(Graphs, TheFirstOfMoreThanFourAreForgotten) {
  auto device = open();
  const std::uint64_t before = fake.readyGraphs;
  for (int round = 0; round < 2; ++round)
    for (std::int64_t tokens : {1, 2, 3, 4})
      ASSERT_TRUE(device->run(1, at(tokens, 1024)));
  EXPECT_EQ(fake.readyGraphs, before + 4);
  Bindings other = at(4, 1024);
  other[fb::BufferKind::arena] = 512;
  ASSERT_TRUE(device->run(1, other));
  EXPECT_EQ(fake.readyGraphs, before + 3) << "of 1 token";
  ASSERT_TRUE(device->run(1, at(1, 1024)));
  EXPECT_EQ(fake.readyGraphs, before + 2) << "and of 2, since the one of 1 has to come twice again";
}

TEST_F(Graphs, NoneWhereCommandsAreWaitedForOrTimedOrUseSlotsThemselves) {
  setenv("ADJRT_CUDA_SYNCHRONOUS", "1", 1);
  auto device = open();
  unsetenv("ADJRT_CUDA_SYNCHRONOUS");
  for (int run = 0; run < 3; ++run)
    ASSERT_TRUE(device->run(1, at(4, 1024)));
  device = open();
  device->observeCommands([](const CommandTiming &) {});
  for (int run = 0; run < 3; ++run)
    ASSERT_TRUE(device->run(1, at(4, 1024)));
  device = open(true);
  for (int run = 0; run < 3; ++run)
    ASSERT_TRUE(device->run(1, at(4, 1024)));
  EXPECT_EQ(fake.calls["cuStreamBeginCapture"] + fake.calls["cuGraphCreate"], 0);
}

TEST_F(Graphs, ErrorsAreReportedAndTheNextRunStartsAfresh) {
  struct Case {
    const char *call;
    std::vector<std::string> parts;
  };
  for (const Case &c : {Case{"cuStreamBeginCapture", {"command 0 (a), layer 0: kernel 'shapes': "}},
                        {"cuLaunchKernel", {"command 0 (a), layer 0: kernel 'shapes': "}},
                        {"cuStreamEndCapture", {"command 1 (b), layer 0: kernel 'shapes': "}},
                        {"cuGraphCreate", {"command 1 (b), layer 0: kernel 'shapes': "}},
                        {"cuGraphAddChildGraphNode", {"command 1 (b), layer 0: kernel 'shapes': "}},
                        {"cuGraphAddKernelNode", {"command 1 (b), layer 0: kernel 'shapes': "}},
                        {"cuMemcpy2DAsync", {"command 2 (c), layer 0: copy: "}},
                        {"cuMemsetD8Async", {"command 3 (d), layer 0: fill: "}},
                        {"cublasLtMatmul", {"command 4 (e), layer 0: gemm: "}},
                        {"cuGraphInstantiate", {}},
                        {"cuGraphExecKernelNodeSetParams", {"command 1 (b), layer 0: kernel 'shapes': "}},
                        {"cuGraphLaunch", {}}}) {
    auto device = open();
    ASSERT_TRUE(device->run(1, at(4, 1024)));
    if (std::string_view(c.call) == "cuGraphExecKernelNodeSetParams")
      ASSERT_TRUE(device->run(1, at(4, 1280)));
    const std::string_view call = c.call;
    fake.failures = {{c.call, {0, call.starts_with("cublas") ? 15 : 1}}};
    std::vector<std::string> parts = c.parts;
    parts.push_back("cuda:0: program 'gradient'");
    parts.push_back(c.call +
                    std::string(call.starts_with("cublas") ? ": CUBLAS_STATUS" : ": CUDA_ERROR_INVALID_VALUE"));
    expectError(device->run(1, at(4, 1536)), ErrorKind::Failed, parts);
    fake.failures.clear();
    const Status again = device->run(1, at(4, 1792));
    EXPECT_TRUE(again) << c.call << ": " << again.error().message;
  }
}

} // namespace
