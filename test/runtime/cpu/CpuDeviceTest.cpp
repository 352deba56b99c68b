// Opening modules on the cpu device, and its memory calls.
#include "cpu/CpuDevice.h"
#include "TestModule.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace adjrt;
using namespace adjrt::test;
using cpu::CpuDevice;

namespace {

std::unique_ptr<Module> withKernel(
    const std::string &name, const std::string &code,
    const std::function<void(fb::ModuleT &)> &change = [](auto &) {}) {
  fb::ModuleT table = minimalModule();
  table.kernels.push_back(std::make_unique<fb::KernelT>());
  table.kernels[0]->name = name;
  change(table);
  auto module = parseImage(fileImage(std::move(table), {code}));
  EXPECT_TRUE(module) << module.error().message;
  return std::move(*module);
}

void expectRefused(const Module &module, const std::string &text, cpu::Processor processor = cpu::Processor::read()) {
  auto device = CpuDevice::make(1, std::move(processor));
  ASSERT_TRUE(device);
  Status status = (*device)->open(module);
  ASSERT_FALSE(status) << "expected: " << text;
  EXPECT_EQ(status.error().kind, ErrorKind::InvalidInput);
  EXPECT_TRUE(status.error().message.starts_with("test.adjm: ")) << status.error().message;
  EXPECT_NE(status.error().message.find(text), std::string::npos) << status.error().message;
}

TEST(CpuDevice, OpensNativeCode) {
  auto device = CpuDevice::make(2);
  ASSERT_TRUE(device) << device.error().message;
  auto module = withKernel("record", readBytes(ADJRT_TEST_KERNELS));
  Status status = (*device)->open(*module);
  EXPECT_TRUE(status) << status.error().message;
  EXPECT_NE((*device)->name().find("2 threads"), std::string::npos);
  EXPECT_GT((*device)->memory().current, 1u << 20);
}

TEST(CpuDevice, RefusesWhatItCannotRun) {
  const std::string code = readBytes(ADJRT_TEST_KERNELS);
  ASSERT_FALSE(code.empty());
  expectRefused(*withKernel("missing", code), "kernel 'missing' is not exported");
  expectRefused(*withKernel("record", "not an object"), "blob 0: the native code cannot be opened");
  const auto gpu = [](fb::ModuleT &m) {
    m.target->name = "sm_90";
    m.kernels[0]->threads = 32;
  };
  expectRefused(*withKernel("record", ".version 7.0", gpu), "compiled for sm_90");
  const auto features = [](fb::ModuleT &m) {
    m.target->cpu = "x86-64-v4";
    m.target->features = {"sse2", "avx512f"};
  };
  expectRefused(*withKernel("record", code, features), "--cpu=x86-64-v4, but this processor (Old) lacks avx512f",
                {"Old", {"sse2"}});
}

TEST(CpuDevice, TooManyThreadsIsAnError) {
  auto device = CpuDevice::make(100000);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().kind, ErrorKind::InvalidInput);
}

TEST(CpuDevice, AdamWFollowsItsFormula) {
  std::vector<std::vector<float>> results;
  for (unsigned threads : {1u, 3u}) {
    auto device = CpuDevice::make(threads);
    ASSERT_TRUE(device);
    const std::uint64_t count = 40000, bytes = count * 4;
    ASSERT_TRUE((*device)->reserve(4 * bytes));
    std::vector<float> parameters(count), gradients(count), result(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      parameters[i] = std::sin(static_cast<float>(i));
      gradients[i] = std::cos(static_cast<float>(i) * 3);
    }
    ASSERT_TRUE((*device)->upload(0, std::as_bytes(std::span(parameters))));
    ASSERT_TRUE((*device)->upload(bytes, std::as_bytes(std::span(gradients))));
    AdamWStep step{0, bytes, 2 * bytes, 3 * bytes, count, 0.1f, 0.9f, 0.99f, 1e-8f, 0.01f, 0, 0};
    double m = 0, v = 0, p = parameters[777], g = gradients[777];
    for (int t = 1; t <= 3; ++t) {
      step.correction1 = static_cast<float>(1 - std::pow(0.9, t));
      step.correction2 = static_cast<float>(1 - std::pow(0.99, t));
      ASSERT_TRUE((*device)->adamw(step));
      m = 0.9 * m + 0.1 * g;
      v = 0.99 * v + 0.01 * g * g;
      p -= 0.1 * (m / (1 - std::pow(0.9, t)) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-8) + 0.01 * p);
    }
    ASSERT_TRUE((*device)->download(0, std::as_writable_bytes(std::span(result))));
    EXPECT_NEAR(result[777], p, 1e-5);
    results.push_back(result);
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(MakeDevice, NamesTheDevicesThereAre) {
  for (const char *name : {"tpu", "cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999"}) {
    auto device = makeDevice(name, {});
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().kind, ErrorKind::InvalidInput);
    EXPECT_EQ(device.error().message,
              "device '" + std::string(name) + "' is not known; there are: cpu, cuda:N (N from 0)");
  }
  EXPECT_TRUE(makeDevice("cpu", {1}));
}

} // namespace
