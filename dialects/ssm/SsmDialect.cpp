//===- SsmDialect.cpp - the ssm dialect ---------------------------------------------------------------------------===//
#include "ssm/SsmDialect.h"

#include "adj/AdjDialect.h"
#include "ssm/SsmAttributes.h"
#include "ssm/SsmOps.h"

using namespace mlir;

#include "ssm/SsmDialect.cpp.inc"

void ssm::SsmDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "ssm/SsmOps.cpp.inc"
      >();
}
