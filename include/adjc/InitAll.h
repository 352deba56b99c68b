//===- InitAll.h - every dialect that adjc reads or makes ----------------------------------------------*- C++ -*-===//
#ifndef ADJC_INITALL_H
#define ADJC_INITALL_H

namespace mlir {
class DialectRegistry;
}

namespace adjc {

/// Registers both dialects of adjc, the upstream dialects that its passes make, and every interface that is attached
/// to an operation from outside.
void registerAllDialects(mlir::DialectRegistry &registry);

} // namespace adjc

#endif
