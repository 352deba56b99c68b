//===- KernelPatterns.h - the conversion of kernels to the LLVM dialect that all targets share --------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_LLVM_KERNELPATTERNS_H
#define ADJC_LIB_TARGET_LLVM_KERNELPATTERNS_H

#include "mlir/Conversion/LLVMCommon/LoweringOptions.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace adjc {

/// Buffers are bare pointers, indices have 64 bits.
mlir::LowerToLLVMOptions getKernelLowering(mlir::MLIRContext *context);

/// The patterns for what kernels are made of: func, cf, arith, math, vector, memref.
void populateKernelPatterns(mlir::LLVMTypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace adjc

#endif
