// The device that a conformance test runs on: the environment names it, so that one test program serves every device.
#ifndef ADJC_TEST_RUNTIME_SUPPORT_TESTDEVICE_H
#define ADJC_TEST_RUNTIME_SUPPORT_TESTDEVICE_H

#include "adjrt/device/Device.h"

#include <string>
#include <vector>

namespace adjrt::test {

/// ADJRT_TEST_DEVICE, or "cpu". "fake-cuda" stands for cuda:0 with the libraries of test/runtime/cuda/fake.
std::string testDevice();
bool onFakeGpu();
inline bool onGpu() { return testDevice() != "cpu"; }

/// That device. The test fails where it cannot be made, and null is returned.
std::unique_ptr<Device> makeTestDevice(unsigned threads = 1);

/// Make `table`, which was written for the cpu, one for the test device: target, and what a kernel's launch needs.
void retarget(fb::ModuleT &table);

/// The code of the test kernels (Kernels.c, Kernels.ptx) for the test device: a module's blobs.
std::vector<std::string> testKernels();

} // namespace adjrt::test

#endif
