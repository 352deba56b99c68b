// A test on the fake GPU: it starts fresh, and everything it took is given back at its end.
#ifndef ADJC_TEST_RUNTIME_CUDA_FAKEGPU_H
#define ADJC_TEST_RUNTIME_CUDA_FAKEGPU_H

#include "FakeCuda.h"
#include "TestModule.h"
#include "adjrt/device/Device.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

namespace adjrt::test {

class FakeGpu : public testing::Test {
protected:
  FakeGpu() {
    setenv("ADJRT_CUDA_LIBRARY_PATH", ADJRT_FAKE_CUDA, 1);
    unsetenv("ADJRT_CUDA_SYNCHRONOUS");
    unsetenv("ADJRT_CUDA_GRAPHS");
    fake.reset();
  }
  ~FakeGpu() override {
    for (std::uint64_t held : {fake.contexts, fake.allocations, fake.modules, fake.streams, fake.events,
                               fake.hostBuffers, fake.reservations, fake.graphs, fake.readyGraphs})
      EXPECT_EQ(held, 0u) << "not given back";
  }

  std::unique_ptr<Device> make(const std::string &name = "cuda:0") {
    auto device = makeDevice(name, {});
    EXPECT_TRUE(device) << device.error().message;
    return device ? std::move(*device) : nullptr;
  }

  /// A module for sm_90 whose gradient program `build` fills; its kernels, all of Kernels.ptx, have 64 threads.
  static std::unique_ptr<Module> module(const std::function<void(fb::ModuleT &)> &build,
                                        const std::string &code = readBytes(ADJRT_TEST_PTX)) {
    fb::ModuleT table = minimalModule();
    table.target->name = "sm_90";
    for (const auto &[name, operands] : {std::pair("shapes", 1u), {"stray", 1u}, {"record", 2u}}) {
      table.kernels.push_back(std::make_unique<fb::KernelT>());
      table.kernels.back()->name = name;
      table.kernels.back()->operand_count = operands;
      table.kernels.back()->threads = 64;
    }
    fb::ProgramT &program = *table.programs[1];
    program.buffers.push_back(
        std::make_unique<fb::BufferT>(buffer("out", fb::BufferKind::arena, 0, table.plan->fixed_bytes)));
    addBlock(program);
    build(table);
    auto parsed = parseImage(fileImage(std::move(table), {code}));
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? std::move(*parsed) : nullptr;
  }

  /// Bindings of a run with `tokens` tokens whose arena begins at 0.
  static Bindings bindings(std::int64_t tokens) {
    Bindings result;
    result.batch = 1;
    result.tokens = tokens;
    return result;
  }

  FakeCuda &fake = fakeCuda();
};

/// `status` is an error of that kind with every part in it.
template <typename Result>
void expectError(const Result &result, ErrorKind kind, const std::vector<std::string> &parts) {
  ASSERT_FALSE(result) << "expected: " << parts.front();
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  for (const std::string &part : parts)
    EXPECT_NE(result.error().message.find(part), std::string::npos)
        << "'" << part << "' is not in: " << result.error().message;
}

} // namespace adjrt::test

#endif
