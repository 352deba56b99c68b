//===- Work.h - what a kernel moves and computes -------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_COST_WORK_H
#define ADJC_PLAN_COST_WORK_H

#include "adj/AdjOps.h"
#include "adjc/Kernels/KernelGrid.h"
#include "adjc/Plan/Cost/Quantity.h"

#include <string>
#include <vector>

namespace adjc {

/// Kinds of work that reach about the same share of a machine's rates: each has one efficiency factor per machine.
enum class WorkKind { Product, Scan, ScanAdjoint, Pointwise, Norm, Convolution, Embedding, Loss, Sum, Copy, Transfer };
inline constexpr unsigned kWorkKinds = 11;
/// "matrix products", "recurrences", ...: how reports call it.
llvm::StringRef nameOf(WorkKind kind);

/// What one command does, once. Bytes are those of its operands, each read or written once, whatever caches do.
struct Work {
  WorkKind kind = WorkKind::Pointwise;
  Quantity read, written; ///< bytes
  Quantity products;      ///< floating-point operations of a matrix product: 2 m n k
  bool bf16 = false;      ///< a product of bf16 matrices
  Quantity exponentials;  ///< exponentials, logarithms, roots and quotients
  Quantity operations;    ///< all other scalar operations
  Quantity groups;        ///< that it is cut into, and that run in parallel
  Quantity moved;         ///< bytes of a transfer to or from the host's memory, beside the other commands
};

/// Scalar operations, of which an element or a point takes so many.
struct ScalarWork {
  double exponentials = 0, operations = 0;
};

/// What one operation of a scalar region (arith, math, complex) costs; constants, indices and terminators nothing.
ScalarWork countScalar(mlir::Operation *op);

/// One launch of a kernel.
struct LaunchWork {
  std::string suffix; ///< of the kernel's name
  Work work;
};

/// The launches of a dispatch of `kernel` (as adj-form-kernels leaves it, before it is lowered), counted from its body.
/// Fails with a diagnostic when the kernel has no emitter.
llvm::FailureOr<std::vector<LaunchWork>> countKernel(mlir::adj::KernelOp kernel, KernelTarget target);

/// The scalar operations of a recurrence (ssm.scan or adj.scan_adjoint) over a shard, launch by launch; `launches` are
/// those of its dispatch, whose work is filled in.
void countScan(mlir::adj::KernelOp kernel, mlir::Operation *scan, const KernelLaunches &launches,
               llvm::MutableArrayRef<LaunchWork> work);

/// The work of a matrix product on tensors.
Work countProduct(mlir::adj::GemmOp gemm);

/// A copy of a value of `type`.
Work countCopy(mlir::RankedTensorType type);

/// The same to or from the host's memory.
Work countTransfer(mlir::RankedTensorType type);

} // namespace adjc

#endif
