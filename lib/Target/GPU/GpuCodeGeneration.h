//===- GpuCodeGeneration.h - LLVM's part of the GPU target --------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_GPU_GPUCODEGENERATION_H
#define ADJC_LIB_TARGET_GPU_GPUCODEGENERATION_H

#include "adjc/Target/GPU/GpuTarget.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace adjc {

/// LLVM's code generator for the GPU. Multiplications and additions contract.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createGpuMachine(const GpuTarget &target);

/// Runs LLVM's -O3 pipeline for the machine.
void optimizeForGpu(llvm::Module &module, llvm::TargetMachine &machine);

/// The PTX of an optimised module. A function that is declared and not an intrinsic is an error that names it.
llvm::Expected<std::string> emitPtx(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace adjc

#endif
