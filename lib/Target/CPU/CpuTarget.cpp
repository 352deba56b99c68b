//===- CpuTarget.cpp - from lowered kernels to a shared object --------------------------------------------------===//
#include "adjc/Target/CPU/CpuTarget.h"
#include "CodeGeneration.h"
#include "adjc/Target/CPU/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace mlir;
using namespace adjc;

namespace {
/// An optimised LLVM module and what it lives in.
struct Optimized {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};
} // namespace

static LogicalResult reportError(ModuleOp kernels, llvm::Error error) {
  return kernels.emitError() << llvm::toString(std::move(error));
}

static FailureOr<Optimized> lowerAndOptimize(ModuleOp kernels, const CpuTarget &target) {
  PassManager manager(kernels->getContext());
  buildCpuPipeline(manager);
  if (failed(manager.run(kernels)))
    return failure();
  Optimized result;
  auto machine = createTargetMachine(target);
  if (!machine)
    return reportError(kernels, machine.takeError());
  result.machine = std::move(*machine);
  result.module = translateModuleToLLVMIR(kernels, *result.context, "kernels");
  if (!result.module)
    return kernels.emitError() << "the kernels cannot be translated to LLVM IR";
  optimize(*result.module, *result.machine, target);
  return result;
}

void adjc::registerCpuTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

FailureOr<std::vector<char>> adjc::compileForCpu(ModuleOp kernels, const CpuTarget &target) {
  FailureOr<Optimized> optimized = lowerAndOptimize(kernels, target);
  if (failed(optimized))
    return failure();
  auto object = emitObject(*optimized->module, *optimized->machine);
  if (!object)
    return reportError(kernels, object.takeError());
  auto shared = linkSharedObject(*object);
  if (!shared)
    return reportError(kernels, shared.takeError());
  return std::move(*shared);
}

FailureOr<std::string> adjc::printCpuLLVM(ModuleOp kernels, const CpuTarget &target) {
  FailureOr<Optimized> optimized = lowerAndOptimize(kernels, target);
  if (failed(optimized))
    return failure();
  std::string text;
  llvm::raw_string_ostream stream(text);
  optimized->module->print(stream, nullptr);
  return text;
}
