//===- SharedMemory.h - the shared memory of a GPU block, as kernels see it ---------------------------*- C++ -*-===//
#ifndef ADJC_KERNELS_SHAREDMEMORY_H
#define ADJC_KERNELS_SHAREDMEMORY_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace adjc {

/// The memory spaces of NVPTX: of pointers that a kernel is given, and of a block's shared memory.
inline constexpr int64_t globalMemorySpace = 1, sharedMemorySpace = 3;

/// The one symbol that all kernels' workspaces are views of. Its size is given at launch (shared_bytes in
/// runtime/schema/adjm.fbs); the type holds the most that any GPU has.
inline constexpr llvm::StringLiteral sharedMemoryName = "adj_shared";
inline constexpr int64_t mostSharedBytes = 227 << 10;

inline mlir::MemRefType getSharedMemoryType(mlir::MLIRContext *context) {
  auto space = mlir::IntegerAttr::get(mlir::IntegerType::get(context, 64), sharedMemorySpace);
  return mlir::MemRefType::get({mostSharedBytes}, mlir::IntegerType::get(context, 8), mlir::MemRefLayoutAttrInterface(),
                               space);
}

/// Attributes of a kernel's function: threads of a block, bytes of its shared memory, and (optional)
/// KernelGrid::minimumBlocks.
inline constexpr llvm::StringLiteral threadsAttribute = "adj.threads", sharedBytesAttribute = "adj.shared_bytes",
                                     minimumBlocksAttribute = "adj.minimum_blocks";

} // namespace adjc

#endif
