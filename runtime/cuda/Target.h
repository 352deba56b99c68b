// Whether a GPU runs code that was compiled for a target.
#ifndef ADJRT_CUDA_TARGET_H
#define ADJRT_CUDA_TARGET_H

#include "Context.h"
#include "adjrt/module/Module.h"

namespace adjrt::cuda {

/// PTX for sm_XY runs on compute capability X.Y and later; PTX for sm_XYa on X.Y alone; machine code (cubin) on the
/// same X with at least that Y. InvalidInput, naming both sides, otherwise.
Status checkTarget(const fb::Module &module, const std::string &device, const GpuProperties &gpu);

} // namespace adjrt::cuda

#endif
