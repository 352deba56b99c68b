// The AdamW step on a GPU: a kernel of the runtime's own.
#ifndef ADJRT_CUDA_ADAMW_H
#define ADJRT_CUDA_ADAMW_H

#include "KernelCode.h"
#include "adjrt/device/Device.h"

namespace adjrt::cuda {

/// The kernel's PTX: one entry, "adjrt_adamw". It does the float operations of runtime/cpu/AdamW.cpp in their order,
/// each rounded, so that both devices give the same bits.
extern const char *const kAdamWCode;

class AdamW {
public:
  static Expected<AdamW> load(const Context &context);

  /// `step`'s offsets are relative to `arena`.
  Status step(Address arena, const AdamWStep &step) const;

private:
  AdamW(const Context &context, LoadedCode code, FunctionHandle function)
      : context(context), code(std::move(code)), function(function) {}

  const Context &context;
  LoadedCode code;
  FunctionHandle function;
};

} // namespace adjrt::cuda

#endif
