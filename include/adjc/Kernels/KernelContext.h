//===- KernelContext.h - what an emitter is given: the kernel, its function and its operands ----------*- C++ -*-===//
#ifndef ADJC_KERNELS_KERNELCONTEXT_H
#define ADJC_KERNELS_KERNELCONTEXT_H

#include "adj/AdjOps.h"
#include "adjc/Kernels/KernelBuilder.h"
#include "adjc/Kernels/KernelGrid.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace adjc {

/// True when the tensor's leading dimensions are token rows: (batch, tokens, ...), or the rows of a mini-sequence. Only
/// such tensors have a row stride of their own; every other tensor is packed and its entry in `row_strides` is ignored.
bool hasTokenRows(mlir::RankedTensorType type);
/// Rows per group of a kernel that goes through token rows one by one.
inline int64_t getRowsPerGroup(KernelTarget target) { return target == KernelTarget::Gpu ? 4 : 64; }
/// Number of those leading dimensions: 2, or 1 in a mini-sequence, or 0.
unsigned getRowRank(mlir::RankedTensorType type);
/// Elements of one row (the product of the static dimensions), or of the whole tensor when it is static.
int64_t getRowSize(mlir::RankedTensorType type);
/// Rows that one entry of a tensor of partial sums covers: N of its encoding, #adj.blocks<rows, N>.
int64_t getRowsPerPartial(mlir::RankedTensorType partials);

/// One operand of the kernel's function.
struct KernelOperand {
  mlir::Value base;            ///< the rank-0 memref
  mlir::RankedTensorType type; ///< the tensor's
  int64_t rowStride = 0;       ///< elements between token rows
  int64_t alignment = 0;       ///< bytes that the address is a multiple of; 0: only an element's
};

/// How many of a row's `channels` a thread of a GPU reads or writes at once: as many as all `operands`' rows, strides
/// and addresses allow, up to 16 bytes of the widest elements. 1 on kernels without `alignments`.
int64_t getAccessWidth(int64_t channels, llvm::ArrayRef<KernelOperand> operands);

/// Everything an emitter needs. The function is
///
///     func.func @name(inputs..., outputs... : memref<T>, batch, tokens, rows, first_group, last_group : index)
///
/// with one rank-0 memref per input and output of the kernel; on a GPU it ends with `groups` instead of a range of
/// them. `b` inserts into its body.
class KernelContext {
public:
  /// `launch`: which of `launches` the function is.
  KernelContext(mlir::adj::KernelOp kernel, mlir::func::FuncOp function, KernelTarget target, const KernelGrid &grid,
                unsigned launch = 0, const KernelLaunches &launches = {});

  KernelBuilder b;
  mlir::Value batch, tokens, rows;

  mlir::adj::KernelOp getKernel() const { return kernel; }
  KernelTarget getTarget() const { return target; }
  unsigned getLaunch() const { return launch; }
  /// True if the dispatch is several launches.
  bool hasLaunches() const { return several; }
  /// memref<?xf32>: what the launches of a dispatch leave for each other.
  mlir::Value workspaceView();
  /// The operand that holds `tensor`: an argument of the kernel, or a value that it yields. A tied input is the
  /// output's operand.
  KernelOperand operand(mlir::Value tensor);
  /// Output number `number` of the kernel.
  KernelOperand output(unsigned number);
  /// False for an unused result of the operation: nothing is to be written.
  bool isOutput(mlir::Value tensor);

  /// The size of dimension `dim` of a tensor of this type.
  mlir::Value size(mlir::RankedTensorType type, unsigned dim);

  /// memref<? x static dims>: token rows flattened, (batch, tokens) -> rows. For tensors with token rows.
  mlir::Value rowsView(const KernelOperand &operand);
  mlir::Value rowsView(mlir::Value tensor) { return rowsView(operand(tensor)); }
  /// memref<? x row size>: likewise, and all else of a token flattened too.
  mlir::Value packedRowsView(mlir::Value tensor);
  /// All dimensions as in the tensor's type.
  mlir::Value fullView(const KernelOperand &operand);
  mlir::Value fullView(mlir::Value tensor) { return fullView(operand(tensor)); }
  /// memref<?>: the elements of a packed tensor, in order.
  mlir::Value flatView(const KernelOperand &operand);
  mlir::Value flatView(mlir::Value tensor) { return flatView(operand(tensor)); }

  /// body(group) for each group of this call.
  void forGroups(llvm::function_ref<void(mlir::Value)> body);
  /// body(row) for each row of a group: groups are blocks of `block` of the `count` rows.
  void forRowsOfGroup(mlir::Value group, int64_t block, mlir::Value count, llvm::function_ref<void(mlir::Value)> body);

  /// body(row) for each row of each group of this call.
  void forRows(int64_t block, llvm::function_ref<void(mlir::Value)> body) {
    forGroups([&](mlir::Value group) { forRowsOfGroup(group, block, rows, body); });
  }

  /// Writes lanes of an output: stores them, or adds them when the kernel accumulates.
  void write(const Lanes &lanes, mlir::Value value, mlir::Value view, mlir::ValueRange indices);

private:
  mlir::Value makeView(const KernelOperand &operand, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                       llvm::ArrayRef<mlir::OpFoldResult> strides);
  /// Operand number `number`, inputs first, holding a tensor of this type.
  KernelOperand makeOperand(unsigned number, mlir::Type type);

  mlir::adj::KernelOp kernel;
  mlir::func::FuncOp function;
  KernelTarget target;
  unsigned launch;
  bool several;
};

} // namespace adjc

#endif
