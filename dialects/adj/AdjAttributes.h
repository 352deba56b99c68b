//===- AdjAttributes.h - attributes of the adj dialect -------------------------------------------------*- C++ -*-===//
#ifndef ADJ_ADJATTRIBUTES_H
#define ADJ_ADJATTRIBUTES_H

#include "adj/AdjDialect.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include "adj/AdjEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "adj/AdjAttributes.h.inc"

namespace mlir::adj {

/// Rows that one partial sum covers where adjoints leave partial sums over rows. A kernel reads it off its result's
/// encoding.
inline constexpr int64_t rowsPerPartial = 64;

/// tensor<? x shape of `parameter`, #adj.blocks<rows, rowsPerPartial>>: partial sums over rows of a parameter's
/// cotangent.
RankedTensorType getRowPartialsType(RankedTensorType parameter);

} // namespace mlir::adj

#endif
