//===- SsmAttributes.h - attributes of the ssm dialect -------------------------------------------------*- C++ -*-===//
#ifndef SSM_SSMATTRIBUTES_H
#define SSM_SSMATTRIBUTES_H

#include "mlir/IR/Attributes.h"
#include "ssm/SsmDialect.h"

#include "ssm/SsmEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "ssm/SsmAttributes.h.inc"

#endif
