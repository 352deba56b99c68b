#include "TestDevice.h"
#include "TestModule.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace adjrt::test {

bool onFakeGpu() {
  const char *name = std::getenv("ADJRT_TEST_DEVICE");
  return name && std::string(name) == "fake-cuda";
}

std::string testDevice() {
  if (onFakeGpu()) {
    setenv("ADJRT_CUDA_LIBRARY_PATH", ADJRT_FAKE_CUDA, 1);
    return "cuda:0";
  }
  const char *name = std::getenv("ADJRT_TEST_DEVICE");
  return name && *name ? name : "cpu";
}

std::unique_ptr<Device> makeTestDevice(unsigned threads) {
  auto device = makeDevice(testDevice(), {threads});
  EXPECT_TRUE(device) << device.error().message;
  return device ? std::move(*device) : nullptr;
}

void retarget(fb::ModuleT &table) {
  if (!onGpu())
    return;
  table.target->name = "sm_80";
  for (auto &kernel : table.kernels)
    kernel->threads = 32;
}

std::vector<std::string> testKernels() { return {readBytes(onGpu() ? ADJRT_TEST_PTX : ADJRT_TEST_KERNELS)}; }

} // namespace adjrt::test
