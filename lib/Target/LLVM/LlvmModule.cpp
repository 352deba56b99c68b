//===- LlvmModule.cpp - translation, optimisation and output of an LLVM module ----------------------------------===//
#include "LlvmModule.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/LegacyPassManager.h"

using namespace mlir;
using namespace adjc;

LogicalResult adjc::reportError(ModuleOp kernels, llvm::Error error) {
  return kernels.emitError() << llvm::toString(std::move(error));
}

FailureOr<LlvmModule> LlvmModule::translate(ModuleOp kernels,
                                            llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine) {
  if (!machine)
    return reportError(kernels, machine.takeError());
  LlvmModule result{std::make_unique<llvm::LLVMContext>(), std::move(*machine), nullptr};
  result.module = translateModuleToLLVMIR(kernels, *result.context, "kernels");
  if (!result.module)
    return kernels.emitError() << "the kernels cannot be translated to LLVM IR";
  result.module->setTargetTriple(result.machine->getTargetTriple());
  result.module->setDataLayout(result.machine->createDataLayout());
  return std::move(result);
}

void LlvmModule::optimize(const llvm::PipelineTuningOptions &tuning) {
  llvm::PassBuilder builder(machine.get(), tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(*module, modules);
}

llvm::Expected<llvm::SmallString<0>> LlvmModule::emit(llvm::CodeGenFileType type, StringRef what) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, type))
    return llvm::createStringError("LLVM cannot write " + what + " for " + machine->getTargetCPU());
  passes.run(*module);
  return std::move(bytes);
}

std::string LlvmModule::print() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return text;
}

void adjc::registerLlvmTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}
