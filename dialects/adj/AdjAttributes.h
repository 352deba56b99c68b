//===- AdjAttributes.h - attributes of the adj dialect -------------------------------------------------*- C++ -*-===//
#ifndef ADJ_ADJATTRIBUTES_H
#define ADJ_ADJATTRIBUTES_H

#include "adj/AdjDialect.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"

#include "adj/AdjEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "adj/AdjAttributes.h.inc"

#endif
