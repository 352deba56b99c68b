#include "KernelCode.h"
#include "adjrt/abi.h"

#include <unordered_map>

namespace adjrt::cuda {
namespace {

constexpr std::int64_t kMostGridX = 0x7fffffff, kMostGridY = 0xffff;

std::string text(std::uint64_t value) { return std::to_string(value); }

} // namespace

Expected<LoadedCode> LoadedCode::load(const Context &context, const char *image) {
  const Driver &api = context.driver();
  char log[4096] = {};
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log - 1)};
  ModuleHandle handle = nullptr;
  if (Status status = api.check(api.moduleLoad(&handle, image, 2, options, values), "cuModuleLoadDataEx"); !status) {
    const std::string reason(log);
    return invalidInput("the GPU code cannot be loaded: " + status.error().message +
                        (reason.empty() ? "" : ": " + reason) + "; compile the spec again, or install a newer driver");
  }
  return LoadedCode(context, handle);
}

LoadedCode::~LoadedCode() {
  if (!handle)
    return;
  const Context::Current current(context);
  context.driver().moduleUnload(handle);
}

Expected<FunctionHandle> LoadedCode::entry(const std::string &name) const {
  FunctionHandle function = nullptr;
  const Driver &api = context.driver();
  if (Status status = api.check(api.moduleFunction(&function, handle, name.c_str()), "cuModuleGetFunction"); !status)
    return invalidInput("kernel '" + name + "' is no entry of its GPU code (" + status.error().message +
                        "); compile the spec again");
  return function;
}

Expected<KernelCode> KernelCode::load(const Context &context, const Module &module) {
  KernelCode result(context);
  const fb::Module &table = module.table();
  std::unordered_map<std::uint32_t, std::size_t> loaded; // blob -> place in `code`
  for (std::uint32_t i = 0; table.kernels() && i < table.kernels()->size(); ++i) {
    const fb::Kernel &kernel = *table.kernels()->Get(i);
    if (!loaded.contains(kernel.blob())) {
      const std::span<const std::byte> blob = module.blob(kernel.blob());
      // A copy, so that text ends with a zero.
      const std::string image(reinterpret_cast<const char *>(blob.data()), blob.size());
      auto code = LoadedCode::load(context, image.c_str());
      if (!code)
        return tl::unexpected<Error>(code.error().in("blob " + text(kernel.blob())));
      loaded[kernel.blob()] = result.code.size();
      result.code.push_back(std::move(*code));
    }
    ADJ_ASSIGN_OR_RETURN(FunctionHandle function, result.code[loaded[kernel.blob()]].entry(kernel.name()->str()));
    ADJ_RETURN_IF_ERROR(result.check(kernel, function));
    result.kernels.push_back({kernel.name()->str(), function, kernel.threads(), kernel.shared_bytes()});
  }
  return result;
}

Status KernelCode::check(const fb::Kernel &kernel, FunctionHandle function) const {
  const Driver &api = context.driver();
  const GpuProperties &gpu = context.properties();
  const std::string place = "kernel '" + kernel.name()->str() + "': ";
  int threads = 0, fixedShared = 0;
  ADJ_RETURN_IF_ERROR(api.check(api.functionAttribute(&threads, kFunctionMaxThreads, function), "cuFuncGetAttribute"));
  ADJ_RETURN_IF_ERROR(
      api.check(api.functionAttribute(&fixedShared, kFunctionSharedBytes, function), "cuFuncGetAttribute"));
  const std::uint32_t mostThreads = std::min(gpu.maxThreads, static_cast<std::uint32_t>(threads));
  if (kernel.threads() > mostThreads)
    return invalidInput(place + "a block of " + text(kernel.threads()) + " threads, but " + gpu.name +
                        " runs it with at most " + text(mostThreads) + "; compile the spec for this GPU");
  const std::uint64_t shared = std::uint64_t(kernel.shared_bytes()) + static_cast<std::uint64_t>(fixedShared);
  if (shared > gpu.maxSharedBytes)
    return invalidInput(place + text(shared) + " bytes of shared memory, but a block on " + gpu.name + " has " +
                        text(gpu.maxSharedBytes) + "; compile the spec for this GPU");
  ADJ_RETURN_IF_ERROR(
      api.check(api.setFunctionAttribute(function, kFunctionMaxDynamicShared, static_cast<int>(kernel.shared_bytes())),
                "cuFuncSetAttribute"));
  if (!api.functionParameter) // an older driver can't be asked
    return {};
  const std::size_t wanted = kernel.operand_count() + ADJ_PTX_COUNTS;
  std::size_t found = 0, offset = 0, bytes = 0;
  bool words = true;
  while (found <= wanted && api.functionParameter(function, found, &offset, &bytes) == kSuccess) {
    words = words && bytes == sizeof(std::uint64_t);
    ++found;
  }
  if (found != wanted || !words)
    return invalidInput(place + "its code does not take " + text(kernel.operand_count()) + " pointers and " +
                        text(ADJ_PTX_COUNTS) + " 64-bit counts; compile the spec again");
  return {};
}

Expected<KernelLaunch> KernelCode::prepare(std::uint32_t index, std::int64_t groups,
                                           std::span<void *> arguments) const {
  const Kernel &kernel = kernels[index];
  const std::int64_t x = std::min(groups, kMostGridX), y = (groups + x - 1) / x;
  if (y > kMostGridY)
    return failed(std::to_string(groups) + " groups are more than a grid has blocks");
  KernelLaunch result;
  result.function = kernel.function;
  result.gridX = static_cast<unsigned>(x);
  result.gridY = static_cast<unsigned>(y);
  result.blockX = kernel.threads;
  result.sharedBytes = kernel.sharedBytes;
  result.arguments = arguments.data();
  return result;
}

Status KernelCode::launch(const KernelLaunch &it) const {
  const Driver &api = context.driver();
  return api.check(api.launch(it.function, it.gridX, it.gridY, it.gridZ, it.blockX, it.blockY, it.blockZ,
                              it.sharedBytes, context.stream(), it.arguments, it.extra),
                   "cuLaunchKernel");
}

} // namespace adjrt::cuda
