// What a command becomes on a GPU, and the limits it is checked against: docs in adjrt/abi.h.
#include "FakeGpu.h"

using namespace adjrt;
using namespace adjrt::test;

namespace {

class Launch : public FakeGpu {
protected:
  void expectRefused(const std::vector<std::string> &parts, const std::function<void(fb::ModuleT &)> &change,
                     const std::string &code = readBytes(ADJRT_TEST_PTX)) {
    auto device = make();
    auto refused = module(change, code);
    ASSERT_TRUE(device && refused);
    std::vector<std::string> all = parts;
    all.push_back("test.adjm: ");
    expectError(device->open(*refused), ErrorKind::InvalidInput, all);
  }
};

TEST_F(Launch, GridBlockSharedMemoryAndCounts) {
  auto device = make();
  auto opened = module([](fb::ModuleT &m) {
    m.kernels[0]->shared_bytes = 100000;
    addCommand(*m.programs[1], dispatch(0, {ref(0)}, rows(3)));
    addCommand(*m.programs[1], dispatch(1, {ref(0)}, fixed((1ll << 31) + 5)));
  });
  ASSERT_TRUE(device->open(*opened));
  ASSERT_TRUE(device->reserve(512));
  fake.launches.clear();
  ASSERT_TRUE(device->run(1, bindings(4)));
  EXPECT_EQ(fake.launches,
            (std::vector<std::string>{"shapes grid 12 1 1 block 64 1 1 shared 100000 counts 1 4 4 12",
                                      "stray grid 2147483647 2 1 block 64 1 1 shared 0 counts 1 4 4 2147483653"}));
}

TEST_F(Launch, MoreGroupsThanAGridHasBlocks) {
  auto device = make();
  auto opened =
      module([](fb::ModuleT &m) { addCommand(*m.programs[1], dispatch(1, {ref(0)}, fixed(1ll << 48)), "x"); });
  ASSERT_TRUE(device->open(*opened));
  ASSERT_TRUE(device->reserve(512));
  expectError(device->run(1, bindings(4)), ErrorKind::Failed,
              {"kernel 'stray': 281474976710656 groups are more than a grid has blocks"});
}

TEST_F(Launch, TargetsAndCapabilities) {
  struct Case {
    const char *target;
    int major, minor;
    bool runs;
  };
  for (const Case &c : {Case{"sm_80", 8, 0, true},
                        {"sm_80", 9, 0, true},
                        {"sm_90", 8, 0, false},
                        {"sm_90a", 9, 0, true},
                        {"sm_90a", 10, 0, false},
                        {"sm_100", 10, 0, true},
                        {"sm_100", 9, 0, false}}) {
    fake.major = c.major, fake.minor = c.minor;
    const auto change = [&](fb::ModuleT &m) { m.target->name = c.target; };
    if (!c.runs) {
      expectRefused({"target: the module was compiled for " + std::string(c.target) +
                     ", but cuda:0 (Fake GPU) has "
                     "compute capability " +
                     std::to_string(c.major) + ".0; compile the spec with --target=sm_" + std::to_string(c.major) +
                     "0"},
                    change);
      continue;
    }
    auto device = make();
    auto opened = module(change);
    Status status = device->open(*opened);
    EXPECT_TRUE(status) << status.error().message;
  }
  fake.major = 9;
  expectRefused({"target: the module was compiled for the cpu, not for cuda:0 (Fake GPU); choose --device cpu"},
                [](fb::ModuleT &m) {
                  m.target->name = "cpu";
                  m.kernels.clear();
                });
}

TEST_F(Launch, LimitsOfTheGpu) {
  fake.functionThreads = 32; // what the kernel's registers leave
  expectRefused({"kernel 'shapes': a block of 64 threads, but Fake GPU runs it with at most 32"}, [](auto &) {});
  fake.functionThreads = 1024;
  fake.functionSharedBytes = 32448;
  expectRefused({"kernel 'stray': 232449 bytes of shared memory, but a block on Fake GPU has 232448"},
                [](fb::ModuleT &m) { m.kernels[1]->shared_bytes = 200001; });
}

TEST_F(Launch, CodeThatDoesNotFit) {
  expectRefused(
      {"blob 0: the GPU code cannot be loaded: cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX",
       "ptxas fatal: Missing .version directive"},
      [](auto &) {}, "no code");
  expectRefused({"kernel 'missing' is no entry of its GPU code (cuModuleGetFunction: CUDA_ERROR_NOT_FOUND"},
                [](fb::ModuleT &m) { m.kernels[2]->name = "missing"; });
  expectRefused({"kernel 'record': its code does not take 3 pointers and 4 64-bit counts"},
                [](fb::ModuleT &m) { m.kernels[2]->operand_count = 3; });
  expectRefused({"kernel 'record': its code does not take 1 pointers"},
                [](fb::ModuleT &m) { m.kernels[2]->operand_count = 1; });
}

TEST_F(Launch, CommandsThatAGpuDoesNotDo) {
  expectRefused({"program 'gradient', block 0, command 0 (spec.mlir:7:1): a copy of rows that overlap"},
                [](fb::ModuleT &m) {
                  addCommand(*m.programs[1], copy(ref(0), ref(0, 256), fixed(2), 8, 4, 8), "spec.mlir:7:1");
                });
  auto device = make();
  auto opened =
      module([](fb::ModuleT &m) { addCommand(*m.programs[1], copy(ref(0), ref(0, 8), fixed(2), 8, 16, 16), "x"); });
  ASSERT_TRUE(device->open(*opened));
  ASSERT_TRUE(device->reserve(512));
  expectError(device->run(1, bindings(4)), ErrorKind::Failed, {"copy: source and destination overlap"});
  fake.maxPitch = 64;
  auto narrow = make();
  auto wide =
      module([](fb::ModuleT &m) { addCommand(*m.programs[1], copy(ref(0), ref(0, 256), fixed(2), 8, 65, 8), "x"); });
  ASSERT_TRUE(narrow->open(*wide));
  ASSERT_TRUE(narrow->reserve(512));
  expectError(narrow->run(1, bindings(4)), ErrorKind::Failed, {"rows are further apart than the 64 bytes"});
}

/// Data types as the library counts them: 0 is f32, 14 is bf16.
TEST_F(Launch, ProductsHaveTheTypesOfTheirMatrices) {
  auto device = make();
  auto opened = module([](fb::ModuleT &m) {
    auto product = gemm(ref(0), ref(0, 128), ref(0, 256), fixed(2), fixed(3), rows(), 8, 3, 3);
    addCommand(*m.programs[1], product);
    product.dtype = fb::DType::bf16;
    addCommand(*m.programs[1], product);
    product.output = fb::DType::bf16;
    addCommand(*m.programs[1], product);
  });
  ASSERT_TRUE(device->open(*opened));
  ASSERT_TRUE(device->reserve(512));
  fake.types.clear();
  ASSERT_TRUE(device->run(1, bindings(4)));
  EXPECT_EQ(fake.types, (std::vector<std::string>{"0 0 0", "14 14 0", "14 14 14"}));
}

/// The library is asked once per product and alignment: C^T = B^T A^T, 32 MiB of workspace, reductions in compute type.
TEST_F(Launch, ProductsAskForTheirAlgorithmOnce) {
  auto device = make();
  auto opened = module([](fb::ModuleT &m) {
    auto product = gemm(ref(0), ref(0, 128), ref(0, 260), fixed(2), fixed(3), rows(), 8, 3, 3);
    addCommand(*m.programs[1], product);
    product.transpose_a = product.accumulate = true;
    product.lda = 2;
    addCommand(*m.programs[1], product);
  });
  ASSERT_TRUE(device->open(*opened));
  ASSERT_TRUE(device->reserve(512));
  fake.products.clear();
  for (int run = 0; run < 3; ++run)
    ASSERT_TRUE(device->run(1, bindings(4)));
  EXPECT_EQ(fake.products,
            (std::vector<std::string>{"3 2 4 0 0 33554432 2 128 256 4", "3 2 4 0 1 33554432 2 128 256 4"}));
}

} // namespace
