// The order of commands, the addresses they get, and the counts: against what docs/architecture.md says, on the test
// device.
#include "TestDevice.h"
#include "TestModule.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

using namespace adjrt;
using namespace adjrt::test;
using fb::BufferKind;

namespace {

enum Kernel : std::uint32_t { AddScaled, Record, Shapes };

/// A module of batch 2, shard 5 whose gradient program `build` fills; fixed part, parameters and boundaries of 4 KiB.
class Machine {
public:
  Machine(const std::function<void(fb::ProgramT &)> &build, unsigned threads) {
    fb::ModuleT table = minimalModule();
    table.plan->batch = 2;
    table.plan->shard = 5;
    table.plan->fixed_bytes = table.plan->parameter_bytes = table.plan->boundary_bytes = table.plan->host_bytes =
        kBytes;
    for (const auto &[name, operands] : {std::pair("add_scaled", 2u), {"record", 2u}, {"shapes", 1u}}) {
      table.kernels.push_back(std::make_unique<fb::KernelT>());
      table.kernels.back()->name = name;
      table.kernels.back()->operand_count = operands;
    }
    build(*table.programs[1]);
    retarget(table);
    auto parsed = parseImage(fileImage(std::move(table), testKernels()));
    EXPECT_TRUE(parsed) << parsed.error().message;
    module = std::move(*parsed);
    device = makeTestDevice(threads);
    Status status = device->open(*module);
    EXPECT_TRUE(status) << status.error().message;
    EXPECT_TRUE(device->reserve(7 * kBytes));
    status = device->reserveHost(kBytes);
    EXPECT_TRUE(status) << status.error().message;
  }

  Bindings bindings(std::int64_t tokens) const {
    Bindings bindings;
    for (std::size_t kind = 0; kind < 7; ++kind)
      bindings.base[kind] = kind * kBytes;
    bindings.batch = 2;
    bindings.tokens = tokens;
    return bindings;
  }
  void run(std::int64_t tokens) { EXPECT_TRUE(device->run(1, bindings(tokens))); }

  Device &operator*() const { return *device; }
  template <typename T> std::vector<T> get(BufferKind kind, std::uint64_t offset, std::size_t count) {
    std::vector<T> values(count);
    EXPECT_TRUE(device->download(static_cast<std::uint64_t>(kind) * kBytes + offset,
                                 std::as_writable_bytes(std::span(values))));
    return values;
  }
  void set(BufferKind kind, std::uint64_t offset, const std::vector<float> &values) {
    EXPECT_TRUE(device->upload(static_cast<std::uint64_t>(kind) * kBytes + offset, std::as_bytes(std::span(values))));
  }

private:
  static constexpr std::uint64_t kBytes = 4096;
  std::unique_ptr<Module> module;
  std::unique_ptr<Device> device;
};

void addBuffer(fb::ProgramT &program, fb::BufferT value) {
  program.buffers.push_back(std::make_unique<fb::BufferT>(std::move(value)));
}

TEST(Executor, BlocksRunOncePerLayerForwardAndReverse) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("log", BufferKind::arena, 0, 1024));
        addBuffer(program, buffer("mark", BufferKind::parameters, 0, 4, 64, 3));
        for (const auto &[layers, reverse] : {std::pair(0u, false), {3u, false}, {3u, true}}) {
          addBlock(program, layers, reverse);
          addCommand(program, dispatch(Record, {ref(0), ref(1)}, fixed(1)));
        }
      },
      2);
  for (std::uint64_t layer = 0; layer < 3; ++layer)
    machine.set(BufferKind::parameters, layer * 64, {static_cast<float>(layer + 1)});
  machine.run(3);
  EXPECT_EQ(machine.get<float>(BufferKind::arena, 0, 15),
            (std::vector<float>{7, 1, 6, 1, 6, 2, 6, 3, 6, 3, 6, 2, 6, 1, 6}));
}

TEST(Executor, OneCommandRunsAloneInAllLayersAndMiniSequences) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("log", BufferKind::arena, 0, 1024));
        addBuffer(program, buffer("mark", BufferKind::parameters, 0, 4, 64, 3));
        addBlock(program, 3, true, 4);
        addCommand(program, dispatch(Record, {ref(0), ref(1)}, fixed(1)));
        addCommand(program, fill(ref(1), fixed(4)));
        addBlock(program);
        addCommand(program, dispatch(Record, {ref(0), ref(1)}, fixed(1)));
      },
      2);
  for (std::uint64_t layer = 0; layer < 3; ++layer)
    machine.set(BufferKind::parameters, layer * 64, {static_cast<float>(layer + 1)});
  Bindings bindings = machine.bindings(3);
  auto seconds = (*machine).timeAlone({1, 0, 0}, bindings, 1);
  ASSERT_TRUE(seconds) << seconds.error().message;
  EXPECT_GE(*seconds, 0);
  // 6 rows are mini-sequences of 4 and 2. Once to warm up, and once; a GPU's graph has a warm-up of its own.
  std::vector<float> expected = {onGpu() ? 18.0f : 12.0f};
  for (int pass = 0; pass < (onGpu() ? 3 : 2); ++pass)
    expected.insert(expected.end(), {3, 4, 3, 2, 2, 4, 2, 2, 1, 4, 1, 2});
  EXPECT_EQ(machine.get<float>(BufferKind::arena, 0, expected.size()), expected);
  for (const CommandPlace &place : {CommandPlace{1, 0, 2}, {1, 2, 0}, {9, 0, 0}}) {
    auto none = (*machine).timeAlone(place, bindings, 1);
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("there is no command"), std::string::npos) << none.error().message;
  }
}

TEST(Executor, ObserversSeeEveryCommandInOrder) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("to", BufferKind::carry_out, 0, 80));
        addBlock(program, 2, true);
        addCommand(program, fill(ref(0), fixed(4)));
        addCommand(program, fill(ref(0), fixed(8)));
        addBlock(program, 0, false, 4);
        addCommand(program, fill(ref(0), rows()));
      },
      2);
  std::vector<CommandTiming> seen;
  (*machine).observeCommands([&](const CommandTiming &timing) { seen.push_back(timing); });
  machine.run(3);
  std::vector<std::vector<std::int64_t>> places;
  double last = 0;
  for (const CommandTiming &t : seen) {
    places.push_back({t.program, t.block, t.command, static_cast<std::int64_t>(t.layer), t.batch, t.tokens, t.rows});
    EXPECT_LE(last, t.begin);
    EXPECT_LE(t.begin, t.end);
    last = t.end;
  }
  EXPECT_EQ(places, (std::vector<std::vector<std::int64_t>>{{1, 0, 0, 1, 2, 3, 6},
                                                            {1, 0, 1, 1, 2, 3, 6},
                                                            {1, 0, 0, 0, 2, 3, 6},
                                                            {1, 0, 1, 0, 2, 3, 6},
                                                            {1, 1, 0, 0, 2, 3, 4},
                                                            {1, 1, 0, 0, 2, 3, 2}}));
  (*machine).observeCommands({});
  machine.run(3);
  EXPECT_EQ(seen.size(), 6U);
}

TEST(Executor, MiniSequencesCoverTheRowsAndTheLastIsShorter) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("log", BufferKind::arena, 0, 1024));
        addBuffer(program, buffer("rows", BufferKind::carry_in, 0, 40));
        addBlock(program, 0, false, 4);
        addCommand(program, dispatch(Record, {ref(0), ref(1, 0, 4)}, fixed(1)));
      },
      2);
  machine.set(BufferKind::carry_in, 0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  machine.run(5);
  EXPECT_EQ(machine.get<float>(BufferKind::arena, 0, 7), (std::vector<float>{3, 0, 4, 4, 4, 8, 2}));
  machine.set(BufferKind::arena, 0, {0});
  machine.run(1); // fewer rows than a mini-sequence
  EXPECT_EQ(machine.get<float>(BufferKind::arena, 0, 3), (std::vector<float>{1, 0, 2}));
}

TEST(Executor, JoinedBlocksRunLayerByLayer) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("log", BufferKind::arena, 0, 1024));
        addBuffer(program, buffer("rows", BufferKind::carry_in, 0, 64, 64, 2)); // 2 layers of 16 rows
        for (std::uint64_t length : {0, 3, 0}) {
          addBlock(program, 2, true, length);
          program.blocks.back()->joined = program.blocks.size() > 1;
          addCommand(program, dispatch(Record, {ref(0), ref(1, 0, 4)}, fixed(1)));
        }
        addBlock(program);
        addCommand(program, dispatch(Record, {ref(0), ref(1)}, fixed(1)));
      },
      2);
  machine.set(BufferKind::carry_in, 0, {10, 11, 12, 13});
  machine.set(BufferKind::carry_in, 64, {20, 21, 22, 23});
  machine.run(2);
  // What each Record saw: the first value at its address, and its rows.
  EXPECT_EQ(machine.get<float>(BufferKind::arena, 0, 19),
            (std::vector<float>{9, 20, 4, 20, 3, 23, 1, 20, 4, 10, 4, 10, 3, 13, 1, 10, 4, 10, 4}));
}

TEST(Executor, KernelsSeeTheirShapeAndEveryGroupOnce) {
  for (unsigned threads : {1u, 2u, 3u}) {
    Machine machine(
        [](fb::ProgramT &program) {
          addBuffer(program, buffer("out", BufferKind::cotangent_out, 64, 1024));
          addBlock(program);
          // 7 groups for each started three rows
          addCommand(program, dispatch(Shapes, {ref(0)}, rows(7, 3)));
        },
        threads);
    machine.run(4);
    const auto out = machine.get<std::int64_t>(BufferKind::cotangent_out, 64, 22);
    for (int g = 0; g < 21; ++g)
      EXPECT_EQ(out[static_cast<std::size_t>(g)], g * 1000000 + 2 * 10000 + 4 * 100 + 8);
    EXPECT_EQ(out[21], 0);
  }
}

TEST(Executor, LayersAddressTheirOwnSlices) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("x", BufferKind::gradients, 64, 8, 16, 3));
        addBuffer(program, buffer("scale", BufferKind::parameters, 0, 4, 4, 3));
        addBlock(program, 3, true);
        addCommand(program, dispatch(AddScaled, {ref(0, 4), ref(1)}, fixed(1)));
      },
      2);
  machine.set(BufferKind::parameters, 0, {1, 2, 3});
  machine.run(1);
  machine.run(1);
  EXPECT_EQ(machine.get<float>(BufferKind::gradients, 64, 12),
            (std::vector<float>{0, 11, 0, 0, 0, 22, 0, 0, 0, 33, 0, 0}));
}

TEST(Executor, CopiesRowsWithStridesAndFills) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("from", BufferKind::carry_in, 0, 64));
        addBuffer(program, buffer("to", BufferKind::carry_out, 0, 80));
        addBlock(program);
        addCommand(program, copy(ref(0, 4), ref(1, 8), {1, 1, fb::Unit::tokens}, 8, 12, 16));
        addCommand(program, fill(ref(1, 12), fixed(4)));
      },
      2);
  machine.set(BufferKind::carry_in, 0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  machine.set(BufferKind::carry_out, 0, std::vector<float>(16, -1));
  machine.run(3);
  EXPECT_EQ(machine.get<float>(BufferKind::carry_out, 0, 12),
            (std::vector<float>{-1, -1, 1, 0, -1, -1, 4, 5, -1, -1, 7, 8}));
}

TEST(Executor, ProductsWithTransposesLayersAndMiniSequences) {
  std::vector<std::vector<float>> results;
  for (unsigned threads : {1u, 2u}) {
    Machine machine(
        [](fb::ProgramT &program) {
          addBuffer(program, buffer("x", BufferKind::carry_in, 0, 10 * 12));     // rows x 3
          addBuffer(program, buffer("w", BufferKind::parameters, 0, 24, 64, 2)); // 2 layers of 2 x 3
          addBuffer(program, buffer("y", BufferKind::arena, 0, 10 * 8, 128, 2)); // 2 layers of rows x 2
          addBuffer(program, buffer("dw", BufferKind::gradients, 0, 24, 64, 2)); // 2 layers of 2 x 3
          addBuffer(program, buffer("z", BufferKind::arena, 512, 10 * 8));       // rows x 2
          addBlock(program, 2);
          auto forward = gemm(ref(0), ref(1), ref(2), rows(), fixed(2), fixed(3), 3, 3, 2);
          forward.transpose_b = true;
          addCommand(program, forward);
          auto weights = gemm(ref(2), ref(0), ref(3), fixed(2), fixed(3), rows(), 2, 3, 3);
          weights.transpose_a = weights.accumulate = true;
          addCommand(program, weights);
          addBlock(program, 0, false, 3);
          auto again = gemm(ref(0, 0, 12), ref(1), ref(4, 0, 8), rows(), fixed(2), fixed(3), 3, 3, 2);
          again.transpose_b = true;
          addCommand(program, again);
        },
        threads);
    machine.set(BufferKind::parameters, 0, {1, 0, 2, 0, 1, -1});
    machine.set(BufferKind::parameters, 64, {3, 0, 0, 0, 0, 5});
    machine.set(BufferKind::gradients, 0, {100, 0, 0, 0, 0, 0});
    machine.set(BufferKind::carry_in, 0, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1});
    machine.run(2);
    EXPECT_EQ(machine.get<float>(BufferKind::arena, 0, 9), (std::vector<float>{7, -1, 16, -1, 25, -1, 3, 0, 0}));
    EXPECT_EQ(machine.get<float>(BufferKind::arena, 128, 8), (std::vector<float>{3, 15, 12, 30, 21, 45, 3, 5}));
    EXPECT_EQ(machine.get<float>(BufferKind::gradients, 0, 6),
              (std::vector<float>{100 + 7 + 64 + 175 + 3, 14 + 80 + 200 + 3, 21 + 96 + 225 + 3, -12, -15, -18}));
    EXPECT_EQ(machine.get<float>(BufferKind::gradients, 64, 3),
              (std::vector<float>{3 + 48 + 147 + 3, 6 + 60 + 168 + 3, 9 + 72 + 189 + 3}));
    EXPECT_EQ(machine.get<float>(BufferKind::arena, 512, 9), (std::vector<float>{7, -1, 16, -1, 25, -1, 3, 0, 0}));
    results.push_back(machine.get<float>(BufferKind::arena, 0, 1024));
  }
  EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), results[0].size() * 4), 0);
}

/// Five layers are saved on the host in a stack and come back in reverse, one layer ahead, through a ring of two
/// places.
TEST(Executor, TransfersKeepLayersOnTheHost) {
  Machine machine(
      [](fb::ProgramT &program) {
        constexpr std::uint32_t kLayers = 5;
        addBuffer(program, buffer("x", BufferKind::parameters, 0, 40, 64, kLayers)); // rows of one float, 5 layers
        addBuffer(program, buffer("y", BufferKind::gradients, 0, 40, 64, kLayers));
        addBuffer(program, buffer("h", BufferKind::host, 64, 40, 64, kLayers));
        addBuffer(program, buffer("r", BufferKind::arena, 0, 40, 64, kLayers));
        program.buffers.back()->instances = 2;
        addBlock(program, kLayers);
        addCommand(program, awaitToHost(1)); // the place that the layer before the last one used is free
        addCommand(program, copy(ref(0), ref(3), rows(), 4, 4, 4));
        addCommand(program, toHost(ref(3), ref(2), rows(), 4));
        addBlock(program);
        addCommand(program, awaitToHost());
        addCommand(program, fill(ref(3), fixed(104)));
        addCommand(program, toDevice(ref(2, 4 * 64), ref(3), rows(), 4)); // layer 4, whose place is the first
        addBlock(program, kLayers, true);
        addCommand(program, toDevice(ref(2), ref(3), rows(), 4, -1));
        addCommand(program, awaitToDevice(1));
        addCommand(program, copy(ref(3), ref(1), rows(), 4, 4, 4));
      },
      2);
  std::vector<float> x(5 * 16);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i + 1);
  for (std::int64_t tokens : {5, 2, 5}) { // a GPU replays the third run
    machine.set(BufferKind::parameters, 0, x);
    machine.set(BufferKind::gradients, 0, std::vector<float>(5 * 16, -1));
    machine.run(tokens);
    const auto y = machine.get<float>(BufferKind::gradients, 0, 5 * 16);
    for (std::size_t layer = 0; layer < 5; ++layer)
      for (std::size_t row = 0; row < 16; ++row)
        EXPECT_EQ(y[layer * 16 + row], row < static_cast<std::size_t>(2 * tokens) ? x[layer * 16 + row] : -1)
            << "layer " << layer << ", row " << row << ", " << tokens << " tokens";
    for (float &value : x)
      value += 1000;
  }
}

/// Rows of a mini-sequence, with strides of their own on either side.
TEST(Executor, TransfersOfMiniSequencesAndStridedRows) {
  Machine machine(
      [](fb::ProgramT &program) {
        addBuffer(program, buffer("x", BufferKind::arena, 0, 10 * 12));
        addBuffer(program, buffer("h", BufferKind::host, 0, 10 * 16));
        addBuffer(program, buffer("y", BufferKind::arena, 256, 10 * 8));
        addBlock(program, 0, false, 3);
        auto out = toHost(ref(0, 0, 12), ref(1, 0, 16), rows(), 8);
        out.source_stride = 12, out.destination_stride = 16;
        addCommand(program, out);
        addBlock(program);
        addCommand(program, awaitToHost());
        auto back = toDevice(ref(1), ref(2), rows(), 8);
        back.source_stride = 16;
        addCommand(program, back);
        addCommand(program, awaitToDevice());
      },
      2);
  std::vector<float> x(30), expected;
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i + 1);
  for (std::size_t row = 0; row < 8; ++row)
    expected.insert(expected.end(), {x[row * 3], x[row * 3 + 1]});
  for (int run = 0; run < 3; ++run) {
    machine.set(BufferKind::arena, 0, x);
    machine.set(BufferKind::arena, 256, std::vector<float>(20, -1));
    machine.run(4);
    expected.resize(16);
    expected.insert(expected.end(), 4, -1);
    EXPECT_EQ(machine.get<float>(BufferKind::arena, 256, 20), expected);
  }
}

} // namespace
