//===- LlvmModule.h - kernels as an LLVM module of a target: what all targets do alike ----------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_LLVM_LLVMMODULE_H
#define ADJC_LIB_TARGET_LLVM_LLVMMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace adjc {

/// Fails with `error`'s text as a diagnostic at the kernels.
mlir::LogicalResult reportError(mlir::ModuleOp kernels, llvm::Error error);

/// An LLVM module, the code generator it is for, and what it lives in.
struct LlvmModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;

  /// Translates `kernels` (LLVM dialect). An error in `machine` becomes a diagnostic.
  static llvm::FailureOr<LlvmModule> translate(mlir::ModuleOp kernels,
                                               llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine);

  /// Runs LLVM's -O3 pipeline for the machine.
  void optimize(const llvm::PipelineTuningOptions &tuning);
  /// What the machine writes for the module: an object or assembly. `what` names it in the error.
  llvm::Expected<llvm::SmallString<0>> emit(llvm::CodeGenFileType type, llvm::StringRef what);
  /// LLVM IR as text.
  std::string print() const;
};

/// Registers the translations of the dialects that every target's kernels end in.
void registerLlvmTranslations(mlir::DialectRegistry &registry);

} // namespace adjc

#endif
