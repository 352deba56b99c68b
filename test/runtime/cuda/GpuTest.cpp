// What holds on every GPU: products, the AdamW step's bits, kernels at their limits. ctest runs it on the fake GPU.
#include "TestDevice.h"
#include "TestModule.h"
#include "cpu/AdamW.h"
#include "cuda/BlasLt.h"
#include "cuda/CudaArena.h"
#include "cuda/Staging.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace adjrt;
using namespace adjrt::test;

namespace {

std::vector<float> random(std::size_t count, unsigned seed, double from = -1, double to = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> values(static_cast<float>(from), static_cast<float>(to));
  std::vector<float> result(count);
  for (float &value : result)
    value = values(engine);
  return result;
}

std::uint16_t toBf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
float fromBf16(std::uint16_t value) {
  const std::uint32_t bits = std::uint32_t(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

/// Matrices of either element type in an arena.
class Gpu {
public:
  Gpu() {
    EXPECT_EQ(testDevice(), "cuda:0"); // before the driver: it may choose the fake one
    auto driver = cuda::Driver::open();
    EXPECT_TRUE(driver) << driver.error().message;
    auto opened = cuda::Context::open(*driver, 0);
    EXPECT_TRUE(opened) << opened.error().message;
    context = std::move(*opened);
    current.emplace(*context);
    auto library = cuda::BlasLt::open(*context);
    EXPECT_TRUE(library) << library.error().message;
    blas = std::move(*library);
    auto pinned = cuda::Staging::make(*context);
    EXPECT_TRUE(pinned);
    staging = std::move(*pinned);
    arena = std::make_unique<cuda::CudaArena>(*context);
    EXPECT_TRUE(arena->reserve(3 * kRegion));
  }
  static constexpr std::uint64_t kRegion = 8 << 20;

  /// Put values in region 0, 1 or 2, and read what comes back after rounding.
  std::vector<float> put(int region, std::vector<float> values, cuda::Element element) {
    if (element == cuda::Element::f32) {
      EXPECT_TRUE(staging->upload(address(region), std::as_bytes(std::span(values))));
      return values;
    }
    std::vector<std::uint16_t> rounded;
    for (float &value : values) {
      rounded.push_back(toBf16(value));
      value = fromBf16(rounded.back());
    }
    EXPECT_TRUE(staging->upload(address(region), std::as_bytes(std::span(rounded))));
    return values;
  }
  std::vector<float> get(int region, std::size_t count, cuda::Element element) {
    std::vector<float> result(count);
    if (element == cuda::Element::f32) {
      EXPECT_TRUE(staging->download(address(region), std::as_writable_bytes(std::span(result))));
      return result;
    }
    std::vector<std::uint16_t> bits(count);
    EXPECT_TRUE(staging->download(address(region), std::as_writable_bytes(std::span(bits))));
    std::transform(bits.begin(), bits.end(), result.begin(), fromBf16);
    return result;
  }
  cuda::Address address(int region) const { return arena->data() + static_cast<std::uint64_t>(region) * kRegion; }

  std::unique_ptr<cuda::Context> context;
  std::optional<cuda::Context::Current> current;
  std::unique_ptr<cuda::BlasLt> blas;
  std::unique_ptr<cuda::Staging> staging;
  std::unique_ptr<cuda::CudaArena> arena;
};

void expectRight(Gpu &gpu, cuda::Product p, double bound) {
  p.lda = (p.transposeA ? p.m : p.k) + 8; // strides must be honoured
  p.ldb = (p.transposeB ? p.k : p.n) + 16;
  p.ldc = p.n + 8;
  const auto at = [](std::int64_t row, std::int64_t column, std::int64_t leading) {
    return static_cast<std::size_t>(row * leading + column);
  };
  const auto a = gpu.put(0, random(at(p.transposeA ? p.k : p.m, 0, p.lda), 1), p.inputs);
  const auto b = gpu.put(1, random(at(p.transposeB ? p.n : p.k, 0, p.ldb), 2), p.inputs);
  const auto before = gpu.put(2, random(at(p.m, 0, p.ldc), 3), p.output);
  Status status = gpu.blas->multiply(p, gpu.address(0), gpu.address(1), gpu.address(2));
  ASSERT_TRUE(status) << status.error().message;
  const auto result = gpu.get(2, before.size(), p.output);
  double error = 0, norm = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.ldc; ++j) {
      if (j >= p.n) {
        EXPECT_EQ(result[at(i, j, p.ldc)], before[at(i, j, p.ldc)]) << "between rows";
        continue;
      }
      double sum = p.accumulate ? static_cast<double>(before[at(i, j, p.ldc)]) : 0;
      for (std::int64_t l = 0; l < p.k; ++l)
        sum += static_cast<double>(p.transposeA ? a[at(l, i, p.lda)] : a[at(i, l, p.lda)]) *
               static_cast<double>(p.transposeB ? b[at(j, l, p.ldb)] : b[at(l, j, p.ldb)]);
      error += std::pow(sum - static_cast<double>(result[at(i, j, p.ldc)]), 2);
      norm += sum * sum;
    }
  }
  EXPECT_LT(std::sqrt(error / norm), bound)
      << p.m << " " << p.n << " " << p.k << " " << p.transposeA << p.transposeB << p.accumulate;
  for (int run = 0; run < 2; ++run) {
    gpu.put(2, before, p.output);
    ASSERT_TRUE(gpu.blas->multiply(p, gpu.address(0), gpu.address(1), gpu.address(2)));
    EXPECT_EQ(gpu.get(2, before.size(), p.output), result) << "equal runs give equal bits";
  }
}

/// TF32 would miss the bound of f32 by a factor of a hundred.
TEST(Gpu, Products) {
  Gpu gpu;
  for (const auto &[m, n, k] : {std::tuple(1, 1, 1), {8, 16, 24}, {33, 70, 40}, {64, 48, 1500}})
    for (int bits = 0; bits < 8; ++bits) {
      cuda::Product product{m, n, k, 0, 0, 0, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
      expectRight(gpu, product, 1e-6);
      if (m % 8 || n % 8 || k % 8)
        continue;
      product.inputs = cuda::Element::bf16;
      expectRight(gpu, product, 1e-6);
      product.output = cuda::Element::bf16;
      expectRight(gpu, product, 4e-3);
    }
}

/// A program's products of bf16 matrices: sums in f32, of which the one into bf16 rounds only the result.
TEST(Gpu, ProgramsMultiplyBf16) {
  fb::ModuleT table = minimalModule();
  table.target->name = "sm_80";
  fb::ProgramT &program = *table.programs[1];
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("x", fb::BufferKind::arena, 0, 384)));
  addBlock(program);
  fb::GemmT product = gemm(ref(0), ref(0, 64), ref(0, 192), rows(), fixed(8), fixed(8), 8, 8, 8);
  product.dtype = fb::DType::bf16;
  addCommand(program, product);
  product.c = std::make_unique<fb::BufferRef>(ref(0, 320));
  product.output = fb::DType::bf16;
  addCommand(program, product);
  auto module = parseImage(fileImage(std::move(table)));
  ASSERT_TRUE(module) << module.error().message;
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  Status status = device->open(**module);
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_TRUE(device->reserve(384));
  std::vector<std::uint16_t> a(32), b(64);
  for (std::size_t i = 0; i < 32; ++i)
    a[i] = toBf16(static_cast<float>(i % 8 == 0 ? 256 : i / 8 + 1));
  for (std::size_t i = 0; i < 64; ++i)
    b[i] = toBf16(i % 9 == 0 ? 1 : i < 8 ? 1 : 0); // the identity, and ones in the first row
  ASSERT_TRUE(device->upload(0, std::as_bytes(std::span(a))));
  ASSERT_TRUE(device->upload(64, std::as_bytes(std::span(b))));
  Bindings bindings;
  bindings.batch = 1;
  bindings.tokens = 4;
  status = device->run(1, bindings);
  ASSERT_TRUE(status) << status.error().message;
  std::vector<float> sums(32);
  std::vector<std::uint16_t> rounded(32);
  ASSERT_TRUE(device->download(192, std::as_writable_bytes(std::span(sums))));
  ASSERT_TRUE(device->download(320, std::as_writable_bytes(std::span(rounded))));
  for (std::size_t i = 0; i < 32; ++i) {
    const float sum = static_cast<float>(i % 8 == 0 ? 256 : 257 + i / 8);
    EXPECT_EQ(sums[i], sum) << i;
    EXPECT_EQ(fromBf16(rounded[i]), fromBf16(toBf16(sum))) << i << ": 257 has one digit more than a bf16";
  }
}

/// Small commands, again and again with other slots: a graph does what they do one by one, in less time on a real GPU.
TEST(Gpu, GraphsDoWhatCommandsDo) {
  constexpr std::uint32_t layers = 200;
  constexpr std::uint64_t slot = layers * 64, runs = 8, arena = 1024 + runs * slot;
  fb::ModuleT table = minimalModule();
  table.target->name = "sm_80";
  table.plan->boundary_bytes = slot;
  table.kernels.push_back(std::make_unique<fb::KernelT>());
  table.kernels[0]->name = "shapes";
  table.kernels[0]->operand_count = 1;
  table.kernels[0]->threads = 32;
  fb::ProgramT &program = *table.programs[1];
  program.buffers.push_back(
      std::make_unique<fb::BufferT>(buffer("x", fb::BufferKind::arena, 0, table.plan->fixed_bytes)));
  program.buffers.push_back(std::make_unique<fb::BufferT>(buffer("s", fb::BufferKind::carry_out, 0, 64, 64, layers)));
  addBlock(program, layers);
  addCommand(program, dispatch(0, {ref(0)}, rows()));
  addCommand(program, dispatch(0, {ref(1)}, rows()));
  addCommand(program, gemm(ref(0, 128), ref(0, 192), ref(0, 256), fixed(4), fixed(4), fixed(4), 4, 4, 4));
  addCommand(program, copy(ref(0), ref(0, 64), fixed(2), 8, 16, 8));
  addCommand(program, fill(ref(0, 128), fixed(4)));
  auto module = parseImage(fileImage(std::move(table), {readBytes(ADJRT_TEST_PTX)}));
  ASSERT_TRUE(module) << module.error().message;
  const auto bytesOf = [&](const char *graphs, double &seconds) {
    setenv("ADJRT_CUDA_GRAPHS", graphs, 1);
    auto device = makeTestDevice();
    unsetenv("ADJRT_CUDA_GRAPHS");
    std::vector<std::byte> bytes(arena);
    Status status = device->open(**module);
    EXPECT_TRUE(status) << status.error().message;
    EXPECT_TRUE(device->reserve(arena));
    EXPECT_TRUE(device->zero(0, arena));
    for (std::uint64_t run = 0; run < runs; ++run) {
      Bindings bindings;
      bindings.batch = 1;
      bindings.tokens = run % 2 ? 3 : 4;
      bindings[fb::BufferKind::carry_out] = 1024 + run * slot;
      EXPECT_TRUE(device->wait());
      const auto begin = std::chrono::steady_clock::now();
      status = device->run(1, bindings);
      EXPECT_TRUE(status) << status.error().message;
      EXPECT_TRUE(device->wait());
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    EXPECT_TRUE(device->download(0, bytes));
    return bytes;
  };
  double each = 0, replayed = 0;
  EXPECT_EQ(bytesOf("0", each), bytesOf("1", replayed));
  std::printf("one command: %.2f us by itself, %.2f us in a graph of %u commands of which %u use slots\n",
              each * 1e6 / (5 * layers), replayed * 1e6 / (5 * layers), 5 * layers, layers);
}

/// Both devices do the same float operations in the same order.
TEST(Gpu, AdamWHasTheBitsOfTheCpu) {
  constexpr std::uint64_t count = 10007, bytes = 40064;
  std::vector<float> host(4 * bytes / 4);
  for (int part = 0; part < 4; ++part) {
    const auto values = random(count, static_cast<unsigned>(part), part == 3 ? 0 : -1, 1);
    std::copy(values.begin(), values.end(), host.begin() + static_cast<std::ptrdiff_t>(part * bytes / 4));
  }
  host[7] = host[bytes / 4 + 7] = host[bytes / 2 + 7] = host[3 * bytes / 4 + 7] = 0;
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  ASSERT_TRUE(device->reserve(4 * bytes));
  ASSERT_TRUE(device->upload(0, std::as_bytes(std::span(host))));
  auto pool = cpu::ThreadPool::make(1);
  ASSERT_TRUE(pool);
  for (int t = 1; t <= 5; ++t) {
    const AdamWStep step{0,
                         bytes,
                         2 * bytes,
                         3 * bytes,
                         count,
                         3e-3f,
                         0.9f,
                         0.95f,
                         1e-8f,
                         0.1f,
                         static_cast<float>(1 - std::pow(0.9, t)),
                         static_cast<float>(1 - std::pow(0.95, t))};
    ASSERT_TRUE(device->adamw(step));
    cpu::adamw(**pool, reinterpret_cast<std::byte *>(host.data()), step);
  }
  std::vector<float> result(host.size());
  ASSERT_TRUE(device->download(0, std::as_writable_bytes(std::span(result))));
  EXPECT_EQ(std::memcmp(result.data(), host.data(), 4 * bytes), 0);
}

TEST(Gpu, MemoryCountsContextLibrariesAndArena) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  const DeviceMemory before = device->memory();
  EXPECT_GT(before.current, std::uint64_t(32) << 20) << "context and workspace";
  EXPECT_LT(before.current, std::uint64_t(1500) << 20)
      << "more than context, libraries and workspace; another process on this GPU?";
  ASSERT_TRUE(device->reserve(std::uint64_t(64) << 20));
  EXPECT_EQ(device->memory().current, before.current + (std::uint64_t(64) << 20));
  EXPECT_GE(device->memory().peak, device->memory().current);
  std::printf("%s: %.1f MB for context, libraries and workspace\n", device->name().c_str(),
              static_cast<double>(before.current) / 1e6);
}

std::unique_ptr<Module> oneKernel(const char *name, const std::string &target, std::uint32_t threads) {
  fb::ModuleT table = minimalModule();
  table.target->name = target;
  table.kernels.push_back(std::make_unique<fb::KernelT>());
  table.kernels[0]->name = name;
  table.kernels[0]->operand_count = 1;
  table.kernels[0]->threads = threads;
  fb::ProgramT &program = *table.programs[1];
  program.buffers.push_back(
      std::make_unique<fb::BufferT>(buffer("out", fb::BufferKind::arena, 0, table.plan->fixed_bytes)));
  addBlock(program);
  addCommand(program, dispatch(0, {ref(0)}, fixed(1)), "spec.mlir:1:1");
  auto module = parseImage(fileImage(std::move(table), {readBytes(ADJRT_TEST_PTX)}));
  EXPECT_TRUE(module) << module.error().message;
  return std::move(*module);
}

/// Last, since it loses the context: an address outside of memory.
TEST(GpuError, IsReportedByTheDownloadAndNamedWhenCommandsAreWaitedFor) {
  if (onFakeGpu())
    GTEST_SKIP() << "the fake GPU has no addresses outside of memory";
  setenv("ADJRT_CUDA_SYNCHRONOUS", std::getenv("ADJRT_TEST_SYNCHRONOUS") ? "1" : "0", 1);
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  auto module = oneKernel("stray", "sm_80", 32);
  ASSERT_TRUE(device->open(*module));
  ASSERT_TRUE(device->reserve(512));
  Bindings bindings;
  bindings.batch = bindings.tokens = 1;
  Status status = device->run(1, bindings);
  if (std::getenv("ADJRT_TEST_SYNCHRONOUS")) {
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find("command 0 (spec.mlir:1:1), layer 0: kernel 'stray': cuStreamSynchronize: "
                                          "CUDA_ERROR_ILLEGAL_ADDRESS"),
              std::string::npos)
        << status.error().message;
    return;
  }
  ASSERT_TRUE(status) << status.error().message;
  std::vector<std::byte> bytes(64);
  for (int i = 0; i < 2; ++i) {
    status = device->download(0, bytes);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find("CUDA_ERROR_ILLEGAL_ADDRESS"), std::string::npos) << status.error().message;
  }
}

TEST(Gpu, RefusesATargetThatItCannotRun) {
  auto device = makeTestDevice();
  ASSERT_TRUE(device);
  auto module = oneKernel("shapes", "sm_999", 32);
  const Status status = device->open(*module);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::InvalidInput);
  EXPECT_NE(status.error().message.find("compiled for sm_999, but cuda:0 ("), std::string::npos)
      << status.error().message;
}

} // namespace
