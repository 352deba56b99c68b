//===- GpuLevels.cpp - the GPUs that --target knows -------------------------------------------------------------===//
#include "adjc/Target/GPU/GpuTarget.h"
#include "llvm/ADT/STLExtras.h"

using namespace adjc;

/// The oldest PTX version that knows each (the PTX manual's table of releases). 8.3 for the first three would change
/// nothing that kernels use.
static const GpuTarget gpus[] = {{"sm_80", "+ptx70"}, {"sm_90", "+ptx78"}, {"sm_90a", "+ptx80"}, {"sm_100", "+ptx86"}};

llvm::Expected<GpuTarget> adjc::resolveGpu(llvm::StringRef name) {
  for (const GpuTarget &gpu : gpus)
    if (name == gpu.name)
      return gpu;
  return llvm::createStringError("not a GPU that adjc compiles for; give one of: sm_80, sm_90, sm_90a, sm_100");
}
