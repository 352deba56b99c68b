// Opening driver and cuBLASLt: what is missing is named.
#include "cuda/Library.h"
#include "FakeGpu.h"
#include "cuda/BlasLt.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {

class Libraries : public FakeGpu {};

TEST_F(Libraries, AMissingLibraryIsNamedWithWhereItWasLookedForAndWhatToDo) {
  setenv("ADJRT_CUDA_LIBRARY_PATH", "/nowhere", 1);
  auto library = cuda::Library::open({"libadjrt-none.so.13", "libadjrt-none.so.12"}, "install it");
  expectError(library, ErrorKind::InvalidInput,
              {"cannot open libadjrt-none.so.13 or libadjrt-none.so.12", "/nowhere/libadjrt-none.so.12", "install it",
               "ADJRT_CUDA_LIBRARY_PATH"});
}

TEST_F(Libraries, TheNamedFolderComesBeforeTheSystem) {
  auto library = cuda::Library::open({"libcublasLt.so.12", "libcublasLt.so.13"}, "install it");
  ASSERT_TRUE(library) << library.error().message;
  EXPECT_EQ(library->path(), ADJRT_FAKE_CUDA "/libcublasLt.so.13");
}

TEST_F(Libraries, AMissingFunctionIsNamed) {
  setenv("ADJRT_CUDA_LIBRARY_PATH", ADJRT_BARE_CUDA, 1);
  expectError(makeDevice("cuda:0", {}), ErrorKind::InvalidInput,
              {"device 'cuda:0': ", ADJRT_BARE_CUDA "/libcuda.so.1 has no function cuInit", "install a newer version"});
  setenv("ADJRT_CUDA_LIBRARY_PATH", ADJRT_FAKE_CUDA, 1);
  auto driver = cuda::Driver::open();
  ASSERT_TRUE(driver);
  auto context = cuda::Context::open(*driver, 0);
  ASSERT_TRUE(context);
  setenv("ADJRT_CUDA_LIBRARY_PATH", ADJRT_BARE_CUDA, 1);
  expectError(cuda::BlasLt::open(**context), ErrorKind::InvalidInput,
              {"libcublasLt.so.13 has no function cublasLtCreate"});
}

TEST_F(Libraries, NoGpuOrNotThatOne) {
  fake.gpus = 0;
  expectError(makeDevice("cuda:0", {}), ErrorKind::InvalidInput,
              {"no GPU can be used (cuInit: CUDA_ERROR_NO_DEVICE", "choose another --device"});
  fake.gpus = 2;
  expectError(makeDevice("cuda:2", {}), ErrorKind::InvalidInput, {"no cuda:2: this machine has 2 GPUs"});
  fake.virtualMemory = 0;
  expectError(makeDevice("cuda:1", {}), ErrorKind::InvalidInput, {"cuda:1 (Fake GPU) has no virtual memory"});
}

TEST_F(Libraries, EveryCallThatFailsOnTheWayIsReportedAndNothingIsKept) {
  std::vector<std::string> calls;
  make(); // which calls there are
  for (const auto &[call, count] : fake.calls)
    calls.push_back(call);
  ASSERT_GT(calls.size(), 20u);
  for (const std::string &call : calls) {
    fake.reset();
    fake.failures[call] = {0, call.starts_with("cublas") ? 15 : 2};
    auto device = makeDevice("cuda:0", {});
    if (call == "cuMemGetInfo") { // figures, not needed to run
      EXPECT_TRUE(device);
      continue;
    }
    expectError(device,
                call == "cuInit" || call == "cuModuleLoadDataEx" || call == "cuModuleGetFunction"
                    ? ErrorKind::InvalidInput
                    : ErrorKind::Failed,
                {call, call.starts_with("cublas") ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUDA_ERROR_OUT_OF_MEMORY"});
  }
}

TEST_F(Libraries, NameAndMemory) {
  auto device = make();
  EXPECT_EQ(device->name(), "Fake GPU");
  const DeviceMemory before = device->memory();
  EXPECT_EQ(before.current, fake.takenBytes);
  ASSERT_TRUE(device->reserve(100 << 20));
  EXPECT_EQ(device->memory().current, before.current + (100 << 20));
  EXPECT_EQ(device->memory().peak, device->memory().current);
}

} // namespace
