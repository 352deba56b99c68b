//===- GpuCodeGeneration.cpp - the machine, and PTX -------------------------------------------------------------===//
#include "GpuCodeGeneration.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"

using namespace adjc;

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> adjc::createGpuMachine(const GpuTarget &gpu) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError("this LLVM does not compile for NVIDIA's GPUs: " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard; // only where an operation says so
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, gpu.name, gpu.ptx, options, /*RM=*/std::nullopt, /*CM=*/std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for " + gpu.name);
  return machine;
}

llvm::Expected<std::string> adjc::emitPtx(LlvmModule &kernels) {
  for (const llvm::Function &function : *kernels.module)
    if (function.isDeclaration() && !function.isIntrinsic())
      return llvm::createStringError("kernels call " + function.getName() + ", which PTX has no instruction for");
  auto text = kernels.emit(llvm::CodeGenFileType::AssemblyFile, "PTX");
  if (!text)
    return text.takeError();
  return text->str().str();
}
