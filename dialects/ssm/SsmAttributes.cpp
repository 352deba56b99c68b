//===- SsmAttributes.cpp - attributes of the ssm dialect ------------------------------------------------------------===//
#include "ssm/SsmAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#define GET_ATTRDEF_CLASSES
#include "ssm/SsmAttributes.cpp.inc"

void ssm::SsmDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ssm/SsmAttributes.cpp.inc"
      >();
}
