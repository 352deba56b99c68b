// The fake's modules and kernels: C twins of the tests' kernels, and AdamW.
#include "FakeState.h"
#include "adjrt/abi.h"

#include <cmath>
#include <cstring>
#include <map>

using namespace adjrt::test::fake;

namespace {

struct FakeFunction {
  std::string name;
  std::size_t parameters;
};

struct FakeModule {
  std::string text;
  std::map<std::string, FakeFunction> functions;
};

extern "C" {
void add_scaled(const adj_kernel_args *);
void record(const adj_kernel_args *);
void shapes(const adj_kernel_args *);
void model_forward(const adj_kernel_args *);
void model_backward(const adj_kernel_args *);
}

/// runtime/cpu/AdamW.cpp's formula, once more.
void adamw(void **arguments) {
  const auto address = [&](int i) { return reinterpret_cast<float *>(*static_cast<std::uint64_t *>(arguments[i])); };
  const auto value = [&](int i) { return *static_cast<float *>(arguments[i]); };
  float *p = address(0), *g = address(1), *m = address(2), *v = address(3);
  const std::uint64_t count = *static_cast<std::uint64_t *>(arguments[4]);
  const float rate = value(5), b1 = value(6), b2 = value(7), epsilon = value(8), decay = value(9);
  for (std::uint64_t i = 0; i < count; ++i) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    p[i] -= rate * (m[i] / value(10) / (std::sqrt(v[i] / value(11)) + epsilon) + decay * p[i]);
  }
}

/// The C twin of a kernel, all groups at once.
void runTwin(const FakeFunction &function, void **arguments) {
  static const std::map<std::string, adj_cpu_kernel> twins{{"add_scaled", add_scaled},
                                                           {"record", record},
                                                           {"shapes", shapes},
                                                           {"model_forward", model_forward},
                                                           {"model_backward", model_backward}};
  const auto twin = twins.find(function.name);
  if (twin == twins.end())
    return;
  const std::size_t operands = function.parameters - ADJ_PTX_COUNTS;
  std::vector<void *> buffers;
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < function.parameters; ++i) {
    const std::uint64_t value = *static_cast<std::uint64_t *>(arguments[i]);
    if (i < operands)
      buffers.push_back(reinterpret_cast<void *>(value));
    else
      counts.push_back(static_cast<std::int64_t>(value));
  }
  const adj_kernel_args args{buffers.data(), counts[0], counts[1], counts[2], 0, counts[3]};
  twin->second(&args);
}

} // namespace

std::function<void()> adjrt::test::fake::kernelOf(const KernelLaunch &launch) {
  const FakeFunction &function = *reinterpret_cast<FakeFunction *>(launch.function);
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < function.parameters; ++i)
    std::memcpy(&values.emplace_back(), launch.arguments[i],
                function.name == "adjrt_adamw" && i > 4 ? sizeof(float) : sizeof(std::uint64_t));
  return [=]() mutable {
    std::vector<void *> arguments;
    for (std::uint64_t &value : values)
      arguments.push_back(&value);
    std::string line = function.name + " grid";
    for (unsigned value : {launch.gridX, launch.gridY, launch.gridZ})
      line += " " + std::to_string(value);
    line += " block";
    for (unsigned value : {launch.blockX, launch.blockY, launch.blockZ})
      line += " " + std::to_string(value);
    line += " shared " + std::to_string(launch.sharedBytes);
    state.milliseconds += 2;
    if (function.name == "adjrt_adamw") {
      adamw(arguments.data());
    } else {
      line += " counts";
      for (std::size_t i = function.parameters - ADJ_PTX_COUNTS; i < function.parameters; ++i)
        line += " " + std::to_string(static_cast<std::int64_t>(values[i]));
      if (launch.gridX * std::uint64_t(launch.gridY) < 1000000)
        runTwin(function, arguments.data());
    }
    state.launches.push_back(line);
  };
}

extern "C" {

Result cuModuleLoadDataEx(ModuleHandle *module, const void *image, unsigned count, int *options, void **values) {
  ENTER("cuModuleLoadDataEx");
  const std::string text(static_cast<const char *>(image));
  if (text.find(".version") == std::string::npos) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == kJitErrorLog)
        std::strcpy(static_cast<char *>(values[i]), "ptxas fatal: Missing .version directive");
    return 218;
  }
  *module = reinterpret_cast<ModuleHandle>(new FakeModule{text, {}});
  ++state.modules;
  return kSuccess;
}
Result cuModuleUnload(ModuleHandle module) {
  delete reinterpret_cast<FakeModule *>(module);
  --state.modules;
  return kSuccess;
}
Result cuModuleGetFunction(FunctionHandle *function, ModuleHandle handle, const char *name) {
  ENTER("cuModuleGetFunction");
  FakeModule &module = *reinterpret_cast<FakeModule *>(handle);
  const std::size_t begin = module.text.find(".entry " + std::string(name) + "(");
  if (begin == std::string::npos)
    return 500;
  const std::string parameters = module.text.substr(begin, module.text.find(')', begin) - begin);
  std::size_t count = 0;
  for (std::size_t i = parameters.find(".param"); i != std::string::npos; i = parameters.find(".param", i + 1))
    ++count;
  FakeFunction &result = module.functions[name] = {name, count};
  *function = reinterpret_cast<FunctionHandle>(&result);
  return kSuccess;
}
Result cuFuncGetAttribute(int *value, int attribute, FunctionHandle) {
  ENTER("cuFuncGetAttribute");
  *value = attribute == kFunctionMaxThreads ? state.functionThreads : state.functionSharedBytes;
  return kSuccess;
}
Result cuFuncSetAttribute(FunctionHandle, int attribute, int) {
  ENTER("cuFuncSetAttribute");
  return attribute == kFunctionMaxDynamicShared ? kSuccess : 1;
}
Result cuFuncGetParamInfo(FunctionHandle function, std::size_t index, std::size_t *offset, std::size_t *bytes) {
  ENTER("cuFuncGetParamInfo");
  if (index >= reinterpret_cast<FakeFunction *>(function)->parameters)
    return 1;
  *offset = 8 * index;
  *bytes = 8;
  return kSuccess;
}
Result cuLaunchKernel(FunctionHandle handle, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                      unsigned bz, unsigned shared, Stream stream, void **arguments, void **) {
  ENTER("cuLaunchKernel");
  const KernelLaunch launch{handle, gx, gy, gz, bx, by, bz, shared, arguments};
  putWork(stream, kernelOf(launch));
  return kSuccess;
}

} // extern "C"
