//===- KernelGroups.h - which operations share a kernel -----------------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_FORM_KERNELGROUPS_H
#define ADJC_LIB_FORM_KERNELGROUPS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseSet.h"

namespace adjc {

/// Operations of one kernel, in program order.
using KernelGroup = llvm::SmallVector<mlir::Operation *>;

/// `main` and the elementwise operations that its kernel computes along: the one that makes what it reads, where that
/// is stored too, and one that takes its result, if they are not `taken` by another. Brings them together, so that the
/// kernel's dispatch may stand where the last of them does. `main` alone where its emitter takes none, or none is
/// there.
KernelGroup groupAround(mlir::Operation *main, const llvm::DenseSet<mlir::Operation *> &taken);

} // namespace adjc

#endif
