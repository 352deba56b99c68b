//===- CodeGeneration.h - LLVM's part of the CPU target -----------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_CPU_CODEGENERATION_H
#define ADJC_LIB_TARGET_CPU_CODEGENERATION_H

#include "adjc/Target/CPU/CpuTarget.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace adjc {

/// LLVM's code generator for the target: position-independent, fully optimising.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuTarget &target);

/// Sets the target on the module and its functions, and runs LLVM's -O3 pipeline.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, const CpuTarget &target);

/// The relocatable object of an optimised module.
llvm::Expected<llvm::SmallVector<char, 0>> emitObject(llvm::Module &module, llvm::TargetMachine &machine);

/// Links one object to a shared object without dependencies, in process. An undefined symbol is an error that names it.
/// The temporary folder it uses is removed in any case.
llvm::Expected<std::vector<char>> linkSharedObject(llvm::ArrayRef<char> object);

} // namespace adjc

#endif
