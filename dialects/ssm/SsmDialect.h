//===- SsmDialect.h - the ssm dialect ------------------------------------------------------------------*- C++ -*-===//
#ifndef SSM_SSMDIALECT_H
#define SSM_SSMDIALECT_H

#include "mlir/IR/Dialect.h"

#include "ssm/SsmDialect.h.inc"

#endif
