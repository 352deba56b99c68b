//===- GpuTarget.h - from lowered kernels to PTX ------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_TARGET_GPU_GPUTARGET_H
#define ADJC_TARGET_GPU_GPUTARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace adjc {

/// A GPU that kernels are compiled for.
struct GpuTarget {
  std::string name; ///< "sm_90"
  std::string ptx;  ///< LLVM's feature for the PTX version, "+ptx78": the oldest that knows the GPU, so that the oldest
                    ///< driver takes it
};

/// The GPU that --target=`name` means. The error lists the names.
llvm::Expected<GpuTarget> resolveGpu(llvm::StringRef name);

/// Registers what compileForGpu needs of a context: call it before the context is made.
void registerGpuTranslations(mlir::DialectRegistry &registry);

/// Compiles the func.funcs of `kernels` (as adj-lower-kernels{target=gpu} makes them) to PTX with one .entry of its
/// name for each
/// ("PTX kernels" in runtime/include/adjrt/abi.h). No libdevice is needed: a function that PTX has no instruction for
/// is an error that names it. `kernels` is consumed: it holds LLVM dialect afterwards. Fails with a diagnostic.
llvm::FailureOr<std::string> compileForGpu(mlir::ModuleOp kernels, const GpuTarget &target);

/// The same up to LLVM IR, as text (--emit=llvm): after LLVM's optimisations.
llvm::FailureOr<std::string> printGpuLLVM(mlir::ModuleOp kernels, const GpuTarget &target);

} // namespace adjc

#endif
