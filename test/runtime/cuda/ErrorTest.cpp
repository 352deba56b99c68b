// Errors of the driver carry the place where they happened; an error on the GPU is reported by the call that waits.
#include "FakeGpu.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {

class Errors : public FakeGpu {
protected:
  /// A device with a program of all commands, named a to d, opened.
  std::unique_ptr<Device> open() {
    auto device = make();
    opened = module([](fb::ModuleT &m) {
      m.programs[1]->blocks.clear();
      addBlock(*m.programs[1], 3, true);
      addCommand(*m.programs[1], dispatch(0, {ref(0)}, fixed(1)), "a");
      addCommand(*m.programs[1], gemm(ref(0), ref(0, 128), ref(0, 256), fixed(2), fixed(2), fixed(2), 2, 2, 2), "b");
      addCommand(*m.programs[1], copy(ref(0), ref(0, 256), fixed(2), 8, 16, 16), "c");
      addCommand(*m.programs[1], fill(ref(0), fixed(4)), "d");
    });
    EXPECT_TRUE(device->open(*opened));
    EXPECT_TRUE(device->reserve(512));
    return device;
  }
  std::unique_ptr<Module> opened;
};

TEST_F(Errors, NameCommandKernelAndLayer) {
  auto device = open();
  struct Case {
    const char *call, *place;
    int code;
    const char *text;
  };
  for (const Case &c :
       {Case{"cuLaunchKernel", "command 0 (a), layer 1: kernel 'shapes': ", 1, "CUDA_ERROR_INVALID_VALUE"},
        {"cublasLtMatmul", "command 1 (b), layer 1: gemm: ", 15, "CUBLAS_STATUS_NOT_SUPPORTED"},
        {"cuMemcpy2DAsync", "command 2 (c), layer 1: copy: ", 1, "CUDA_ERROR_INVALID_VALUE"},
        {"cuMemsetD8Async", "command 3 (d), layer 1: fill: ", 77, "error 77"}}) {
    fake.failures = {{c.call, {1, c.code}}};
    expectError(device->run(1, bindings(4)), ErrorKind::Failed,
                {std::string("cuda:0: program 'gradient', block 0, ") + c.place + c.call + ": " + c.text});
  }
}

TEST_F(Errors, NoAlgorithm) {
  auto device = open();
  fake.failures["no algorithm"] = {1 << 30, 0};
  expectError(device->run(1, bindings(4)), ErrorKind::Failed,
              {"command 1 (b), layer 2: gemm: ", "no algorithm for this product"});
}

TEST_F(Errors, OnTheGpuAreReportedByTheNextDownloadAndEveryOneAfter) {
  auto device = open();
  ASSERT_TRUE(device->run(1, bindings(4)));
  fake.laterError = 700;
  ASSERT_TRUE(device->run(1, bindings(4)));
  std::vector<std::byte> bytes(64);
  for (int i = 0; i < 2; ++i)
    expectError(device->download(0, bytes), ErrorKind::Failed,
                {"cuda:0: ",
                 "CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered), in what was started "
                 "before; run with ADJRT_CUDA_SYNCHRONOUS=1"});
  expectError(device->wait(), ErrorKind::Failed,
              {"cuda:0: cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS", "in what was started before"});
  EXPECT_GT(device->memory().current, 0u) << "the figures of before stand";
  expectError(device->run(1, bindings(4)), ErrorKind::Failed, {"program 'gradient'", "CUDA_ERROR_ILLEGAL_ADDRESS"});
}

TEST_F(Errors, OnTheGpuNameTheirCommandWhenEveryOneIsWaitedFor) {
  setenv("ADJRT_CUDA_SYNCHRONOUS", "1", 1);
  auto device = open();
  fake.laterError = 700;
  expectError(device->run(1, bindings(4)), ErrorKind::Failed,
              {"program 'gradient', block 0, command 0 (a), layer 2: kernel 'shapes': cuStreamSynchronize: "
               "CUDA_ERROR_ILLEGAL_ADDRESS"});
  unsetenv("ADJRT_CUDA_SYNCHRONOUS");
}

TEST_F(Errors, OfTheArena) {
  auto device = make();
  expectError(device->reserve(std::uint64_t(5) << 30), ErrorKind::Failed,
              {"cuda:0: the arena needs 5368709120 bytes, but only ", "on cuda:0 (Fake GPU); use fewer tokens"});
  expectError(device->reserve((std::uint64_t(4) << 30) - (10 << 20)), ErrorKind::Failed, {"the arena needs"});
  for (const char *call : {"cuMemGetInfo", "cuMemGetAllocationGranularity", "cuMemAddressReserve", "cuMemCreate",
                           "cuMemMap", "cuMemSetAccess"}) {
    auto fresh = make();
    fake.failures = {{call, {0, 2}}};
    expectError(fresh->reserve(1 << 20), ErrorKind::Failed, {std::string(call) + ": CUDA_ERROR_OUT_OF_MEMORY"});
    fake.failures.clear();
    EXPECT_TRUE(fresh->reserve(1 << 20)) << call << " was not undone";
  }
}

TEST_F(Errors, OfMovesAndSteps) {
  auto device = open();
  std::vector<std::byte> bytes(64);
  const auto fails = [&](const char *call, const std::function<Status()> &run, const std::string &where) {
    fake.failures = {{call, {0, 1}}};
    expectError(run(), ErrorKind::Failed, {"cuda:0: " + where + call + ": CUDA_ERROR_INVALID_VALUE"});
    fake.failures.clear();
  };
  fails("cuMemcpyHtoDAsync", [&] { return device->upload(0, bytes); }, "");
  fails("cuMemcpyDtoHAsync", [&] { return device->download(0, bytes); }, "");
  fails("cuMemcpyDtoDAsync", [&] { return device->copy(0, 64, 64); }, "");
  fails("cuMemsetD8Async", [&] { return device->zero(0, 64); }, "");
  AdamWStep step;
  step.count = 16;
  fails("cuLaunchKernel", [&] { return device->adamw(step); }, "adamw: ");
}

} // namespace
