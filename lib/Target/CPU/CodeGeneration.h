//===- CodeGeneration.h - LLVM's part of the CPU target -----------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_CPU_CODEGENERATION_H
#define ADJC_LIB_TARGET_CPU_CODEGENERATION_H

#include "../LLVM/LlvmModule.h"
#include "adjc/Target/CPU/CpuTarget.h"

namespace adjc {

/// LLVM's code generator for the target: position-independent, fully optimising.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuTarget &target);

/// Sets the target on the module's functions, and runs LLVM's -O3 pipeline.
void optimize(LlvmModule &kernels, const CpuTarget &target);

/// Links one object to a shared object without dependencies, in process. An undefined symbol is an error that names it.
/// The temporary folder it uses is removed in any case.
llvm::Expected<std::vector<char>> linkSharedObject(llvm::ArrayRef<char> object);

} // namespace adjc

#endif
