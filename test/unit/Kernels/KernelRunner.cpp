//===- KernelRunner.cpp - compiles a kernel from text and runs it -----------------------------------------------===//
#include "KernelRunner.h"
#include "adjc/Kernels/Passes.h"
#include "adjc/Target/CPU/CpuTarget.h"
#include "adjrt/abi.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "ssm/SsmOps.h"
#include <cmath>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace adjc;
using namespace adjc::test;

void KernelRunner::build(const std::string &text) {
  DialectRegistry registry;
  registry.insert<adj::AdjDialect, ssm::SsmDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                  math::MathDialect, tensor::TensorDialect>();
  registerCpuTranslations(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  auto kernels = module->getOps<adj::KernelOp>();
  ASSERT_FALSE(kernels.empty());
  std::string name = (*kernels.begin()).getSymName().str();
  FailureOr<KernelGrid> found = getKernelGrid(*kernels.begin(), KernelTarget::Cpu);
  ASSERT_TRUE(succeeded(found));
  grid = *found;
  PassManager manager(&context);
  manager.addPass(createAdjLowerKernels());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  llvm::Expected<CpuTarget> target = resolveCpu("native");
  ASSERT_TRUE(static_cast<bool>(target));
  FailureOr<std::vector<char>> code = compileForCpu(*module, *target);
  ASSERT_TRUE(succeeded(code));

  file = memfd_create("kernels", 0);
  ASSERT_EQ(write(file, code->data(), code->size()), static_cast<ssize_t>(code->size()));
  library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  function = dlsym(library, name.c_str());
  ASSERT_NE(function, nullptr) << dlerror();
}

KernelRunner::~KernelRunner() {
  if (library)
    dlclose(library);
  if (file >= 0)
    close(file);
}

int64_t KernelRunner::getGroups(int64_t batch, int64_t tokens, int64_t rows) const {
  int64_t values[] = {1, batch, tokens, rows};
  int64_t value = values[static_cast<int>(grid.unit)];
  return grid.factor * ((value + grid.block - 1) / grid.block);
}

void KernelRunner::run(int64_t batch, int64_t tokens, const std::vector<void *> &operands,
                       const std::vector<Floats *> &outputs, int64_t rows) const {
  ASSERT_TRUE(isReady());
  if (rows < 0)
    rows = batch * tokens;
  adj_kernel_args args{operands.data(), batch, tokens, rows, 0, 0};
  auto *call = reinterpret_cast<adj_cpu_kernel>(function);
  int64_t groups = getGroups(batch, tokens, rows);
  std::vector<Floats> before;
  for (const Floats *output : outputs)
    before.push_back(*output);
  for (int64_t group = groups; group-- > 0;) {
    args.first_group = group;
    args.last_group = group + 1;
    call(&args);
  }
  std::vector<Floats> oneByOne;
  for (size_t i = 0; i < outputs.size(); ++i) {
    oneByOne.push_back(*outputs[i]);
    std::copy(before[i].begin(), before[i].end(), outputs[i]->begin());
  }
  args.first_group = 0;
  args.last_group = groups;
  call(&args);
  for (size_t i = 0; i < outputs.size(); ++i)
    EXPECT_EQ(oneByOne[i], *outputs[i]) << "output " << i << " depends on the order of groups";
}

Floats adjc::test::randomFloats(size_t count, uint32_t seed, float scale) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Floats values(count);
  for (float &value : values)
    value = uniform(generator);
  return values;
}

double adjc::test::relativeError(const Floats &actual, const Doubles &expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double difference = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

Doubles adjc::test::toDoubles(const Floats &values) { return Doubles(values.begin(), values.end()); }

double adjc::test::dot(const Doubles &a, const Doubles &b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

double adjc::test::differentiate(const std::function<double(const Doubles &)> &f, const Doubles &at,
                                 const Doubles &direction) {
  const double step = 1e-4;
  Doubles ahead = at, behind = at;
  for (size_t i = 0; i < at.size(); ++i) {
    ahead[i] += step * direction[i];
    behind[i] -= step * direction[i];
  }
  return (f(ahead) - f(behind)) / (2 * step);
}
