//===- KernelFunction.h - the function that a kernel becomes ------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_KERNELS_KERNELFUNCTION_H
#define ADJC_LIB_KERNELS_KERNELFUNCTION_H

#include "adjc/Kernels/KernelContext.h"

namespace adjc {

/// Makes the function `name` of `kernel`, as KernelContext describes it, with an entry block. On a GPU a `workspace`
/// operand comes after the outputs.
mlir::func::FuncOp makeKernelFunction(mlir::OpBuilder &builder, mlir::adj::KernelOp kernel, llvm::StringRef name,
                                      KernelTarget target, bool workspace);

} // namespace adjc

#endif
