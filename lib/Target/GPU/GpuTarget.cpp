//===- GpuTarget.cpp - from lowered kernels to PTX --------------------------------------------------------------===//
#include "adjc/Target/GPU/GpuTarget.h"
#include "GpuCodeGeneration.h"
#include "adjc/Kernels/SharedMemory.h"
#include "adjc/Target/GPU/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace mlir;
using namespace adjc;

namespace {
/// An optimised LLVM module and what it lives in.
struct OptimizedPtx {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};
} // namespace

static LogicalResult reportPtxError(ModuleOp kernels, llvm::Error error) {
  return kernels.emitError() << llvm::toString(std::move(error));
}

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

static FailureOr<OptimizedPtx> lowerAndOptimizeForGpu(ModuleOp kernels, const GpuTarget &target) {
  PassManager manager(kernels->getContext());
  buildGpuPipeline(manager);
  if (failed(manager.run(kernels)))
    return failure();
  OptimizedPtx result;
  auto machine = createGpuMachine(target);
  if (!machine)
    return reportPtxError(kernels, machine.takeError());
  result.machine = std::move(*machine);
  result.module = translateModuleToLLVMIR(kernels, *result.context, "kernels");
  if (!result.module)
    return kernels.emitError() << "the kernels cannot be translated to LLVM IR";
  result.module->setTargetTriple(result.machine->getTargetTriple());
  result.module->setDataLayout(result.machine->createDataLayout());
  makeSharedMemoryDynamic(*result.module);
  optimizeForGpu(*result.module, *result.machine);
  return result;
}

void adjc::registerGpuTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

FailureOr<std::string> adjc::compileForGpu(ModuleOp kernels, const GpuTarget &target) {
  FailureOr<OptimizedPtx> optimized = lowerAndOptimizeForGpu(kernels, target);
  if (failed(optimized))
    return failure();
  auto ptx = emitPtx(*optimized->module, *optimized->machine);
  if (!ptx)
    return reportPtxError(kernels, ptx.takeError());
  return std::move(*ptx);
}

FailureOr<std::string> adjc::printGpuLLVM(ModuleOp kernels, const GpuTarget &target) {
  FailureOr<OptimizedPtx> optimized = lowerAndOptimizeForGpu(kernels, target);
  if (failed(optimized))
    return failure();
  std::string text;
  llvm::raw_string_ostream stream(text);
  optimized->module->print(stream, nullptr);
  return text;
}
