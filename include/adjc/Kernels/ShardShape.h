//===- ShardShape.h - the shard that a kernel is planned for ------------------------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_SHARDSHAPE_H
#define ADJC_KERNELS_SHARDSHAPE_H

#include "adj/AdjOps.h"
#include <optional>

namespace adjc {

/// Sequences, and tokens of each, of a full shard. A kernel computes any others too; what depends on this is how it
/// cuts its work, never the size of its workspace.
struct ShardShape {
  int64_t batch = 1, tokens = 1;
};

/// Attribute of a kernel for a GPU, which `adj-plan-memory` sets when it applies a plan: its {batch, tokens}.
inline constexpr llvm::StringLiteral shardAttribute = "shard";

inline void setShardShape(mlir::adj::KernelOp kernel, ShardShape shard) {
  kernel->setAttr(shardAttribute, mlir::DenseI64ArrayAttr::get(kernel.getContext(), {shard.batch, shard.tokens}));
}

/// None where the kernel is not planned for a shard, or not properly (which `adj-lower-kernels` refuses).
inline std::optional<ShardShape> getShardShape(mlir::adj::KernelOp kernel) {
  auto sizes = kernel->getAttrOfType<mlir::DenseI64ArrayAttr>(shardAttribute);
  if (!sizes || sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1)
    return std::nullopt;
  return ShardShape{sizes[0], sizes[1]};
}

} // namespace adjc

#endif
