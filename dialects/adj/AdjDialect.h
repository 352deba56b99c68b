//===- AdjDialect.h - the adj dialect ------------------------------------------------------------------*- C++ -*-===//
#ifndef ADJ_ADJDIALECT_H
#define ADJ_ADJDIALECT_H

#include "mlir/IR/Dialect.h"

#include "adj/AdjDialect.h.inc"

#endif
