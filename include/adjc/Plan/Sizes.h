//===- Sizes.h - bytes of a value for a whole shard -----------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_SIZES_H
#define ADJC_PLAN_SIZES_H

#include "mlir/IR/BuiltinTypes.h"

namespace adjc {

/// What dynamic dimensions stand for.
struct ShardSizes {
  int64_t batch = 1;
  int64_t tokens = 1;
  int64_t rows = 1; ///< batch * tokens; inside mini-sequences the rows of one
};

/// How a dynamic dimension is counted: factor * ceil(value(unit) / block).
struct DimensionCount {
  enum class Unit { One, Batch, Tokens, Rows };
  Unit unit = Unit::One;
  int64_t block = 1;
};

/// The count for a shard of these sizes.
int64_t countAt(const DimensionCount &count, const ShardSizes &sizes);

/// The count of every dynamic dimension of `type`, in order: without an encoding the batch, then the tokens; with
/// #adj.blocks<rows|mini, n> rows; with #adj.blocks<tokens, n> the batch, then blocks of tokens.
llvm::SmallVector<DimensionCount> dynamicDimensions(mlir::RankedTensorType type);

/// Bytes of one element.
uint64_t elementBytes(mlir::Type element);

/// Bytes of a contiguous value of `type`. Fails when they do not fit in 63 bits.
mlir::FailureOr<uint64_t> bytesOf(mlir::RankedTensorType type, const ShardSizes &sizes);

/// Number of leading dimensions counted at run time: those that make the rows of an activation.
unsigned countLeadingDynamic(llvm::ArrayRef<int64_t> shape);

/// Elements between consecutive rows of a contiguous value. The rows of an activation are its batch and tokens (or a
/// mini-sequence's rows); those of a static value all but the last dimension.
int64_t contiguousRowStride(llvm::ArrayRef<int64_t> shape);
inline int64_t contiguousRowStride(mlir::ShapedType type) { return contiguousRowStride(type.getShape()); }

} // namespace adjc

#endif
