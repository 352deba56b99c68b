//===- AdjDialect.cpp - the adj dialect ---------------------------------------------------------------------------===//
#include "adj/AdjDialect.h"

#include "adj/AdjAttributes.h"
#include "adj/AdjOffload.h"
#include "adj/AdjOps.h"

using namespace mlir;

#include "adj/AdjDialect.cpp.inc"

void adj::AdjDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "adj/AdjOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "adj/AdjOffload.cpp.inc"
      >();
}
