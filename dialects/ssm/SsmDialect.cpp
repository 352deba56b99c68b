//===- SsmDialect.cpp - the ssm dialect ---------------------------------------------------------------------------===//
#include "ssm/SsmDialect.h"

#include "adj/AdjDialect.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "ssm/SsmAttributes.h"
#include "ssm/SsmOps.h"

using namespace mlir;

#include "ssm/SsmDialect.cpp.inc"

namespace {
/// A scan's regions use nothing from outside: folders must leave their constants inside.
struct SsmFoldInterface : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(Region *region) const final { return isa<ssm::ScanOp>(region->getParentOp()); }
};
} // namespace

void ssm::SsmDialect::initialize() {
  addInterfaces<SsmFoldInterface>();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "ssm/SsmOps.cpp.inc"
      >();
}
