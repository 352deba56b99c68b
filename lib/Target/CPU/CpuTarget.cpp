//===- CpuTarget.cpp - from lowered kernels to a shared object --------------------------------------------------===//
#include "adjc/Target/CPU/CpuTarget.h"
#include "CodeGeneration.h"
#include "adjc/Target/CPU/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace adjc;

static FailureOr<LlvmModule> lowerAndOptimize(ModuleOp kernels, const CpuTarget &target) {
  PassManager manager(kernels->getContext());
  buildCpuPipeline(manager);
  if (failed(manager.run(kernels)))
    return failure();
  FailureOr<LlvmModule> result = LlvmModule::translate(kernels, createTargetMachine(target));
  if (succeeded(result))
    optimize(*result, target);
  return result;
}

void adjc::registerCpuTranslations(DialectRegistry &registry) { registerLlvmTranslations(registry); }

FailureOr<std::vector<char>> adjc::compileForCpu(ModuleOp kernels, const CpuTarget &target) {
  FailureOr<LlvmModule> optimized = lowerAndOptimize(kernels, target);
  if (failed(optimized))
    return failure();
  auto object = optimized->emit(llvm::CodeGenFileType::ObjectFile, "object files");
  if (!object)
    return reportError(kernels, object.takeError());
  auto shared = linkSharedObject(*object);
  if (!shared)
    return reportError(kernels, shared.takeError());
  return std::move(*shared);
}

FailureOr<std::string> adjc::printCpuLLVM(ModuleOp kernels, const CpuTarget &target) {
  FailureOr<LlvmModule> optimized = lowerAndOptimize(kernels, target);
  if (failed(optimized))
    return failure();
  return optimized->print();
}
