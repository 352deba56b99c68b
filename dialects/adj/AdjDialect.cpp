//===- AdjDialect.cpp - the adj dialect ---------------------------------------------------------------------------===//
#include "adj/AdjDialect.h"

#include "adj/AdjAttributes.h"
#include "adj/AdjOps.h"
#include "mlir/Interfaces/FoldInterfaces.h"

using namespace mlir;

#include "adj/AdjDialect.cpp.inc"

namespace {
/// A scan's regions use nothing from outside: folders must leave their constants inside.
struct AdjFoldInterface : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(Region *region) const final { return isa<adj::ScanAdjointOp>(region->getParentOp()); }
};
} // namespace

void adj::AdjDialect::initialize() {
  addInterfaces<AdjFoldInterface>();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "adj/AdjOps.cpp.inc"
      >();
}
