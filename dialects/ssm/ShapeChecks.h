//===- ShapeChecks.h - shape checks that verifiers share ------------------------------------------------*- C++ -*-===//
// Used by the verifiers of both dialects. Every message says what is wrong, what was expected and what was found.
#ifndef SSM_SHAPECHECKS_H
#define SSM_SHAPECHECKS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::ssm {

/// "(batch, tokens, 64)": how a shape reads in a message.
std::string formatShape(ArrayRef<int64_t> shape);

/// `type` is f32 or bf16: what an activation is stored in (docs/precision.md).
bool isStoredFloat(Type type);

/// `type` is an activation: tensor<?x?xCxf32>, token-major, or the same in bf16. A type with an encoding (rows of a
/// mini-sequence) may be tensor<?xCxf32>. `channels`: the expected C, or -1 for any; `because` says where that number
/// comes from.
LogicalResult checkActivation(Operation *op, StringRef what, Type type, int64_t channels = -1,
                              const Twine &because = "");

/// `type` is (batch, tokens) of 32-bit integers: tokens or targets.
LogicalResult checkTokens(Operation *op, StringRef what, Type type);

/// `type` is a static f32 tensor of rank `rank`; where `shape` is not -1 its size must be that.
LogicalResult checkParameter(Operation *op, StringRef what, Type type, ArrayRef<int64_t> shape,
                             const Twine &because = "");

/// `type` is `expected`, or the same stored in the other of f32 and bf16.
LogicalResult checkStoredType(Operation *op, StringRef what, Type type, Type expected);

/// `type` is `expected`.
LogicalResult checkType(Operation *op, StringRef what, Type type, Type expected);

/// The resets of a shard, (batch, tokens) i8.
RankedTensorType getResetsType(MLIRContext *context);

/// Number of channels of an activation: its last dimension.
int64_t getChannels(Type type);

} // namespace mlir::ssm

#endif
