//===- GpuTarget.cpp - from lowered kernels to PTX --------------------------------------------------------------===//
#include "adjc/Target/GPU/GpuTarget.h"
#include "GpuCodeGeneration.h"
#include "adjc/Kernels/SharedMemory.h"
#include "adjc/Target/GPU/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

using namespace mlir;
using namespace adjc;

/// Shared memory whose size the launch gives: `.extern .shared .align 16 .b8 adj_shared[]`.
static void makeSharedMemoryDynamic(llvm::Module &module) {
  llvm::GlobalVariable *known = module.getNamedGlobal(sharedMemoryName);
  if (!known)
    return;
  auto *bytes = llvm::ArrayType::get(llvm::Type::getInt8Ty(module.getContext()), 0);
  auto *dynamic = new llvm::GlobalVariable(module, bytes, /*isConstant=*/false, llvm::GlobalValue::ExternalLinkage,
                                           /*Initializer=*/nullptr, "", known, llvm::GlobalValue::NotThreadLocal,
                                           known->getAddressSpace());
  dynamic->setAlignment(llvm::Align(16));
  dynamic->takeName(known);
  known->replaceAllUsesWith(dynamic);
  known->eraseFromParent();
}

static FailureOr<LlvmModule> lowerAndOptimizeForGpu(ModuleOp kernels, const GpuTarget &target) {
  PassManager manager(kernels->getContext());
  buildGpuPipeline(manager);
  if (failed(manager.run(kernels)))
    return failure();
  FailureOr<LlvmModule> result = LlvmModule::translate(kernels, createGpuMachine(target));
  if (failed(result))
    return failure();
  makeSharedMemoryDynamic(*result->module);
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = true;
  result->optimize(tuning);
  return result;
}

void adjc::registerGpuTranslations(DialectRegistry &registry) {
  registerLlvmTranslations(registry);
  registerNVVMDialectTranslation(registry);
}

FailureOr<std::string> adjc::compileForGpu(ModuleOp kernels, const GpuTarget &target) {
  FailureOr<LlvmModule> optimized = lowerAndOptimizeForGpu(kernels, target);
  if (failed(optimized))
    return failure();
  auto ptx = emitPtx(*optimized);
  if (!ptx)
    return reportError(kernels, ptx.takeError());
  return std::move(*ptx);
}

FailureOr<std::string> adjc::printGpuLLVM(ModuleOp kernels, const GpuTarget &target) {
  FailureOr<LlvmModule> optimized = lowerAndOptimizeForGpu(kernels, target);
  if (failed(optimized))
    return failure();
  return optimized->print();
}
