// Transfers beside the stream: the fake GPU does them as late, or as early, as what orders them allows.
#include "FakeGpu.h"

#include <cstring>

using namespace adjrt;
using namespace adjrt::test;
using fb::BufferKind;

namespace {

constexpr std::uint32_t kLayers = 5;
constexpr std::uint64_t kRow = 16, kPlace = 64; ///< bytes of a row, and from one layer to the next (4 rows)

class Transfers : public FakeGpu {
protected:
  /// Layers of x go to the host in a stack and come back as y in reverse, one layer ahead, through a ring of two
  /// places. Await number `without` is left out.
  static void build(fb::ModuleT &m, int without) {
    m.plan->host_bytes = m.plan->fixed_bytes = m.plan->parameter_bytes = 1024;
    fb::ProgramT &program = *m.programs[1];
    program.blocks.clear();
    program.buffers.clear();
    const auto add = [&](const char *name, BufferKind kind, std::uint64_t offset, std::uint32_t instances) {
      program.buffers.push_back(
          std::make_unique<fb::BufferT>(buffer(name, kind, offset, kPlace, kPlace, instances ? instances : kLayers)));
      program.buffers.back()->layers = kLayers;
      program.buffers.back()->instances = instances;
    };
    enum : std::uint32_t { X, Y, H, R };
    add("x", BufferKind::parameters, 0, 0);
    add("y", BufferKind::gradients, 0, 0);
    add("h", BufferKind::host, 0, 0);
    add("r", BufferKind::arena, 512, 2);
    int number = 0;
    const auto await = [&](fb::AwaitT operation) {
      if (number++ != without)
        addCommand(program, operation, "await");
    };
    addBlock(program, kLayers);
    await(awaitToHost(1));
    addCommand(program, copy(ref(X), ref(R), rows(), kRow, kRow, kRow), "x to r");
    addCommand(program, toHost(ref(R), ref(H), rows(), kRow), "save");
    addBlock(program);
    await(awaitToHost());
    addCommand(program, fill(ref(R), fixed(2 * kPlace)), "wipe");
    addCommand(program, toDevice(ref(H, (kLayers - 1) * kPlace), ref(R), rows(), kRow), "first");
    addBlock(program, kLayers, true);
    addCommand(program, toDevice(ref(H), ref(R), rows(), kRow, -1), "ahead");
    await(awaitToDevice(1));
    addCommand(program, copy(ref(R), ref(Y), rows(), kRow, kRow, kRow), "r to y");
  }

  std::unique_ptr<Device> open(int without = -1) {
    auto device = make();
    opened = module([=](fb::ModuleT &m) { build(m, without); });
    EXPECT_TRUE(device->open(*opened));
    EXPECT_TRUE(device->reserve(4096));
    EXPECT_TRUE(device->reserveHost(1024));
    return device;
  }

  static Bindings at(std::int64_t tokens) {
    Bindings result = bindings(tokens);
    result[BufferKind::parameters] = 1024;
    result[BufferKind::gradients] = 2048;
    return result;
  }

  /// How often y was x, in three runs: by themselves or, from the second on, as a graph.
  int right(bool othersFirst, int without = -1) {
    fake.othersFirst = othersFirst;
    auto device = open(without);
    int result = 0;
    for (unsigned char run = 1; run <= 3; ++run) {
      std::vector<std::byte> x(kLayers * kPlace), y(x.size());
      for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<std::byte>(i * 7 + run);
      EXPECT_TRUE(device->upload(1024, x));
      EXPECT_TRUE(device->zero(2048, 1024));
      const Status status = device->run(1, at(4));
      EXPECT_TRUE(status) << status.error().message;
      EXPECT_TRUE(device->download(2048, y));
      result += x == y;
    }
    return result;
  }

  std::unique_ptr<Module> opened;
};

TEST_F(Transfers, AreOrderedByAwaits) {
  for (const char *graphs : {"0", "1"}) {
    setenv("ADJRT_CUDA_GRAPHS", graphs, 1);
    fake.calls.clear();
    EXPECT_EQ(right(false), 3) << "late, graphs " << graphs;
    EXPECT_EQ(right(true), 3) << "early, graphs " << graphs;
    EXPECT_EQ(fake.calls["cuGraphLaunch"], *graphs == '1' ? 4 : 0);
  }
}

/// Each Await is needed: without it something is overwritten too early, or read too early, in one of the orders.
TEST_F(Transfers, GoWrongWithoutAnAwait) {
  for (const char *graphs : {"0", "1"})
    for (int without : {0, 1, 2}) {
      setenv("ADJRT_CUDA_GRAPHS", graphs, 1);
      EXPECT_LT(right(false, without) + right(true, without), 6) << "await " << without << ", graphs " << graphs;
    }
}

TEST_F(Transfers, AreOverWhenTheRunIs) {
  for (bool othersFirst : {false, true})
    for (const char *graphs : {"0", "1"}) {
      setenv("ADJRT_CUDA_GRAPHS", graphs, 1);
      fake.othersFirst = othersFirst;
      auto device = make();
      opened = module([](fb::ModuleT &m) {
        build(m, -1);
        fb::ProgramT &program = *m.programs[1];
        program.blocks.clear();
        addBlock(program);
        addCommand(program, copy(ref(0), ref(3), rows(), kRow, kRow, kRow));
        addCommand(program, toHost(ref(3), ref(2), rows(), kRow)); // nothing awaits it
      });
      ASSERT_TRUE(device->open(*opened));
      ASSERT_TRUE(device->reserve(4096));
      ASSERT_TRUE(device->reserveHost(1024));
      for (unsigned char run = 1; run <= 3; ++run) {
        const std::vector<std::byte> x(kPlace, std::byte(run));
        std::vector<std::byte> back(kPlace);
        ASSERT_TRUE(device->upload(1024, x));
        ASSERT_TRUE(device->run(1, at(4)));
        ASSERT_TRUE(device->zero(512, kPlace)); // what the transfer read
        ASSERT_TRUE(device->transfer(false, 3072, 0, kPlace));
        ASSERT_TRUE(device->await(false, 0));
        ASSERT_TRUE(device->download(3072, back));
        EXPECT_EQ(back, x);
      }
    }
}

TEST_F(Transfers, OfTheDeviceItself) {
  for (bool othersFirst : {false, true}) {
    fake.othersFirst = othersFirst;
    auto device = open();
    const std::vector<std::byte> first(64, std::byte(1)), second(64, std::byte(2));
    std::vector<std::byte> back(64);
    ASSERT_TRUE(device->upload(0, first));
    ASSERT_TRUE(device->transfer(true, 0, 128, 64));
    ASSERT_TRUE(device->await(true, 0));
    ASSERT_TRUE(device->upload(0, second));
    ASSERT_TRUE(device->transfer(true, 0, 192, 64));
    ASSERT_TRUE(device->await(true, 1)); // of the first, which is over
    ASSERT_TRUE(device->transfer(false, 256, 128, 64));
    ASSERT_TRUE(device->await(false, 0));
    ASSERT_TRUE(device->download(256, back));
    EXPECT_EQ(back, first);
    ASSERT_TRUE(device->wait()); // for transfers too
    ASSERT_TRUE(device->transfer(false, 256, 192, 64));
    ASSERT_TRUE(device->transfer(false, 320, 0, 0));
    ASSERT_TRUE(device->await(false, 1));
    ASSERT_TRUE(device->download(256, back));
    EXPECT_EQ(back, second);
    expectError(device->transfer(true, 4096 << 10, 0, 64), ErrorKind::Failed, {"leave the arena"});
    expectError(device->transfer(true, 0, 1024, 64), ErrorKind::Failed,
                {"bytes 1024 to 1088 leave the host memory of 1024 bytes"});
  }
}

TEST_F(Transfers, AwaitsLetTheLastOnesRun) {
  auto device = open();
  const std::vector<std::byte> ones(64, std::byte(1)), twos(64, std::byte(2));
  std::vector<std::byte> back(64);
  ASSERT_TRUE(device->upload(0, ones));
  ASSERT_TRUE(device->transfer(true, 0, 0, 64));
  ASSERT_TRUE(device->upload(0, twos)); // the transfer may see these: nothing awaited it
  ASSERT_TRUE(device->transfer(true, 64, 64, 64));
  ASSERT_TRUE(device->await(true, 1));
  ASSERT_TRUE(device->transfer(false, 128, 0, 64));
  ASSERT_TRUE(device->await(false, 0));
  ASSERT_TRUE(device->download(128, back));
  EXPECT_EQ(back, twos) << "the fake did it only when it was awaited";
}

TEST_F(Transfers, HostMemoryIsPinnedOnceAndGrows) {
  auto device = make();
  const std::uint64_t before = fake.hostBuffers, taken = device->memory().current;
  ASSERT_TRUE(device->reserveHost(0));
  EXPECT_EQ(fake.hostBuffers, before);
  ASSERT_TRUE(device->reserveHost(100));
  ASSERT_TRUE(device->reserveHost(50));
  EXPECT_EQ(fake.hostBuffers, before + 1);
  ASSERT_TRUE(device->reserveHost(200));
  EXPECT_EQ(fake.hostBuffers, before + 1);
  EXPECT_EQ(device->memory().current, taken) << "it is no memory of the GPU";
  EXPECT_FALSE(device->countsHostMemory());
  fake.failures = {{"cuMemHostAlloc", {0, 2}}};
  expectError(device->reserveHost(4096), ErrorKind::Failed,
              {"cuda:0: pinning 4096 bytes of host memory", "cuMemHostAlloc: CUDA_ERROR_OUT_OF_MEMORY"});
}

TEST_F(Transfers, ErrorsNameTheCommand) {
  struct Case {
    const char *call, *command, *what;
    int skip;
  };
  for (const char *graphs : {"0", "1"})
    for (const Case &c : {Case{"cuMemcpyDtoHAsync", "(save), layer 0", "transfer to the host: ", 0},
                          {"cuMemcpyDtoHAsync", "(save), layer 3", "transfer to the host: ", 3},
                          {"cuMemcpyHtoDAsync", "(first), layer 0", "transfer to the device: ", 0},
                          {"cuMemcpyHtoDAsync", "(ahead), layer 4", "transfer to the device: ", 1}}) {
      setenv("ADJRT_CUDA_GRAPHS", graphs, 1);
      auto device = open();
      ASSERT_TRUE(device->run(1, at(4)));
      fake.failures = {{c.call, {c.skip, 1}}};
      expectError(
          device->run(1, at(4)), ErrorKind::Failed,
          {c.command, c.what, c.call + std::string(": CUDA_ERROR_INVALID_VALUE"), "cuda:0: program 'gradient'"});
      fake.failures.clear();
      const Status again = device->run(1, at(4));
      EXPECT_TRUE(again) << again.error().message;
    }
  setenv("ADJRT_CUDA_GRAPHS", "0", 1);
  for (const auto &[call, skip, what] : {std::tuple("cuStreamWaitEvent", 0, "transfer to the host: "),
                                         {"cuStreamWaitEvent", 2, "await of transfers to the host: "},
                                         {"cuEventRecord", 0, "transfer to the host: "},
                                         {"cuEventCreate", 0, "transfer to the host: "}}) {
    auto device = open();
    fake.failures = {{call, {skip, 1}}};
    expectError(device->run(1, at(4)), ErrorKind::Failed, {what, call});
    fake.failures.clear();
  }
}

/// One that is waited for by itself, so that an error of the GPU in it has its name.
TEST_F(Transfers, AreWaitedForWhereCommandsAre) {
  setenv("ADJRT_CUDA_SYNCHRONOUS", "1", 1);
  EXPECT_EQ(right(false), 3);
  EXPECT_EQ(right(true), 3);
  auto device = open();
  fake.failures = {{"cuStreamSynchronize", {1, 700}}};
  expectError(device->run(1, at(4)), ErrorKind::Failed, {"(x to r)", "an illegal memory access"});
  fake.failures = {{"cuStreamSynchronize", {2, 700}}};
  expectError(device->run(1, at(4)), ErrorKind::Failed, {"(save), layer 0: transfer to the host", "illegal"});
  fake.failures.clear();
}

/// The copies of parameters that a program reads are not what differs from shard to shard.
TEST_F(Transfers, WorkingCopiesAreNoSlots) {
  auto device = make();
  opened = module([](fb::ModuleT &m) {
    m.plan->working_copy_bytes = 256;
    m.programs.push_back(std::make_unique<fb::ProgramT>());
    m.programs.back()->name = "prepare";
    fb::ProgramT &program = *m.programs[1];
    program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("w", BufferKind::working_copies, 0, 64)));
    addCommand(program, copy(ref(1), ref(0), fixed(1), 16, 16, 16));
  });
  ASSERT_TRUE(device->open(*opened));
  ASSERT_TRUE(device->reserve(4096));
  for (std::uint64_t base : {1024, 1024, 2048, 2048}) {
    Bindings bound = at(4);
    bound[BufferKind::working_copies] = base;
    ASSERT_TRUE(device->run(1, bound));
  }
  EXPECT_EQ(fake.calls["cuGraphInstantiate"], 2);
  EXPECT_EQ(fake.calls["cuGraphLaunch"], 2);
}

} // namespace
