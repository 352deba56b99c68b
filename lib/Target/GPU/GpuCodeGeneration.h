//===- GpuCodeGeneration.h - LLVM's part of the GPU target --------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_GPU_GPUCODEGENERATION_H
#define ADJC_LIB_TARGET_GPU_GPUCODEGENERATION_H

#include "../LLVM/LlvmModule.h"
#include "adjc/Target/GPU/GpuTarget.h"

namespace adjc {

/// LLVM's code generator for the GPU. Multiplications and additions contract.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createGpuMachine(const GpuTarget &target);

/// The PTX of an optimised module. A function that is declared and not an intrinsic is an error that names it.
llvm::Expected<std::string> emitPtx(LlvmModule &kernels);

} // namespace adjc

#endif
