//===- AdjAttributes.cpp - attributes of the adj dialect --------------------------------------------------------===//
#include "adj/AdjAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "adj/AdjEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "adj/AdjAttributes.cpp.inc"

void adj::AdjDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "adj/AdjAttributes.cpp.inc"
      >();
}

RankedTensorType adj::getRowPartialsType(RankedTensorType parameter) {
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  llvm::append_range(shape, parameter.getShape());
  return RankedTensorType::get(shape, parameter.getElementType(),
                               BlocksAttr::get(parameter.getContext(), "rows", rowsPerPartial));
}
