// The kernels of a module, loaded on a GPU: see "PTX kernels" in adjrt/abi.h.
#ifndef ADJRT_CUDA_KERNELCODE_H
#define ADJRT_CUDA_KERNELCODE_H

#include "Context.h"
#include "adjrt/module/Module.h"

#include <span>
#include <vector>

namespace adjrt::cuda {

/// What is loaded from one blob.
class LoadedCode {
public:
  /// `text`: PTX (terminated by a zero) or the image of a cubin. InvalidInput with what the driver's compiler said.
  static Expected<LoadedCode> load(const Context &context, const char *text);
  LoadedCode(LoadedCode &&other) noexcept : context(other.context), handle(std::exchange(other.handle, nullptr)) {}
  ~LoadedCode();

  /// Entry point `name`; InvalidInput when there is none.
  Expected<FunctionHandle> entry(const std::string &name) const;

private:
  LoadedCode(const Context &context, ModuleHandle handle) : context(context), handle(handle) {}

  const Context &context;
  ModuleHandle handle;
};

class KernelCode {
public:
  /// Load every kernel of a verified module and check it against the GPU's limits.
  static Expected<KernelCode> load(const Context &context, const Module &module);

  const std::string &name(std::uint32_t kernel) const { return kernels[kernel].name; }

  /// How a kernel is launched for `groups` groups. `arguments`: the addresses of its arguments.
  Expected<KernelLaunch> prepare(std::uint32_t kernel, std::int64_t groups, std::span<void *> arguments) const;
  /// Start it on the stream.
  Status launch(const KernelLaunch &launch) const;

private:
  struct Kernel {
    std::string name;
    FunctionHandle function;
    std::uint32_t threads, sharedBytes;
  };
  explicit KernelCode(const Context &context) : context(context) {}
  Status check(const fb::Kernel &kernel, FunctionHandle function) const;

  const Context &context;
  std::vector<LoadedCode> code;
  std::vector<Kernel> kernels;
};

} // namespace adjrt::cuda

#endif
