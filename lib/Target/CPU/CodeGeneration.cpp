//===- CodeGeneration.cpp - the machine, and what LLVM is told ----------------------------------------------------===//
#include "CodeGeneration.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"

using namespace adjc;

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> adjc::createTargetMachine(const CpuTarget &cpu) {
  static const bool initialized = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError("this LLVM does not compile for x86-64: " + error);
  llvm::TargetOptions options;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, cpu.name, /*Features=*/"", options, llvm::Reloc::PIC_,
                                  /*CM=*/std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for " + cpu.name);
  return machine;
}

void adjc::optimize(LlvmModule &kernels, const CpuTarget &cpu) {
  for (llvm::Function &function : *kernels.module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", cpu.name);
    function.addFnAttr("prefer-vector-width", std::to_string(cpu.vectorBits));
    // Loops must not become calls to memset or memcpy: the shared object depends on no library.
    function.addFnAttr("no-builtins");
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = tuning.LoopUnrolling = true;
  kernels.optimize(tuning);
}
