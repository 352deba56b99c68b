//===- ScanVerifier.h - what ssm.scan and adj.scan_adjoint verify alike ---------------------------------*- C++ -*-===//
#ifndef SSM_SCANVERIFIER_H
#define SSM_SCANVERIFIER_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "ssm/ScanDimensions.h"

namespace mlir::ssm {

/// Sizes of all dimensions of `space`, read off the tensors that `maps` index (a size in no map is that of the
/// dimension it contracts, else dynamic).
SmallVector<int64_t> computeDimSizes(const ScanSpace &space, ArrayAttr maps, ArrayRef<Type> types);

/// Names, state, contraction and state type; one projection per tensor, batch and token first, sizes that agree.
/// `describe(i)` names tensor number i in messages: "input 0".
LogicalResult verifyScanSpace(Operation *op, const ScanSpace &space, Type stateType, ArrayAttr maps,
                              ArrayRef<Type> types, llvm::function_ref<std::string(unsigned)> describe);

/// `type` holds the states before every `every`-th token: (batch, ceil(tokens / every), state...), encoded.
LogicalResult verifyCheckpoints(Operation *op, RankedTensorType state, int64_t every, Type type);

/// Arguments of the given types, one block, and nothing in it but scalar operations of arith, math, complex, ssm.sum
/// and the ssm.yield at its end.
LogicalResult verifyScanRegion(Operation *op, Region &region, StringRef what, ArrayRef<Type> arguments,
                               const ScanSpace &space);

/// Every ssm.sum in the regions of `op` adds up over dimensions that its operand varies over, and never over batch or
/// tokens.
LogicalResult verifySums(Operation *op, const ScanDimensions &dimensions, const ScanSpace &space);

} // namespace mlir::ssm

#endif
