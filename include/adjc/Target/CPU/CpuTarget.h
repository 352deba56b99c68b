//===- CpuTarget.h - from lowered kernels to a shared object ------------------------------------------*- C++ -*-===//
#ifndef ADJC_TARGET_CPU_CPUTARGET_H
#define ADJC_TARGET_CPU_CPUTARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace adjc {

/// A CPU that kernels are compiled for: one of the x86-64 psABI's levels.
struct CpuTarget {
  std::string name;                  ///< "x86-64-v3"
  std::vector<std::string> features; ///< what the code needs, as /proc/cpuinfo calls it: "avx2", "fma", ...
  unsigned vectorBits = 128;         ///< preferred vector width
};

/// The CPU that --cpu=`name` means: native (the highest level that this machine has), x86-64-v2, x86-64-v3 or
/// x86-64-v4. The error lists the names, or says what this machine lacks.
llvm::Expected<CpuTarget> resolveCpu(llvm::StringRef name);

/// Registers what compileForCpu needs of a context: call it before the context is made.
void registerCpuTranslations(mlir::DialectRegistry &registry);

/// Compiles the func.funcs of `kernels` (as adj-lower-kernels makes them) to a self-contained shared object that
/// exports, for each, an adj_cpu_kernel of its name (runtime/include/adjrt/abi.h). `kernels` is consumed: it holds LLVM
/// dialect afterwards. Fails with a diagnostic.
llvm::FailureOr<std::vector<char>> compileForCpu(mlir::ModuleOp kernels, const CpuTarget &target);

/// The same up to LLVM IR, as text (--emit=llvm): after LLVM's optimisations.
llvm::FailureOr<std::string> printCpuLLVM(mlir::ModuleOp kernels, const CpuTarget &target);

} // namespace adjc

#endif
