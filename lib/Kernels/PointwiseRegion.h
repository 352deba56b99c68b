//===- PointwiseRegion.h - what an elementwise operation computes at one point ------------------------*- C++ -*-===//
#ifndef ADJC_LIB_KERNELS_POINTWISEREGION_H
#define ADJC_LIB_KERNELS_POINTWISEREGION_H

#include "adjc/Kernels/KernelBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace adjc {

/// The constant that a tensor is filled with, or null.
mlir::arith::ConstantOp getFilledValue(mlir::Value tensor);

/// Fails with a diagnostic unless `generic` is parallel, writes its results in order (identity maps) and computes
/// scalars that have an emitter.
llvm::LogicalResult verifyPointwise(mlir::linalg::GenericOp generic);

/// Evaluates the region on lanes: each scalar operation again, on vectors; on a GPU lane by lane, for its functions are
/// scalar. `arguments`: one value per argument of the region; null where it is a filled tensor's (a constant) or
/// unused. What is in bf16 comes extended, and is returned so.
llvm::SmallVector<mlir::Value> evaluateRegion(KernelBuilder &b, mlir::linalg::GenericOp generic, const Lanes &lanes,
                                              llvm::ArrayRef<mlir::Value> arguments);

} // namespace adjc

#endif
