//===- WorkingCopies.h - parameters as products in bf16 read them -------------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_FORM_WORKINGCOPIES_H
#define ADJC_LIB_FORM_WORKINGCOPIES_H

#include "adj/AdjOps.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/MapVector.h"

namespace adjc {

class WorkingCopies {
public:
  /// Where one operand of `product` is in bf16 and the other a parameter, the working copy takes the parameter's place.
  /// Fails with a diagnostic where the other is anything else in f32.
  mlir::LogicalResult matchOperands(mlir::adj::MatmulOp product);
  /// A parameter with a working copy is read through it by embeddings too: a tied table is one table.
  void replaceTables(mlir::ModuleOp module);
  /// `adj.program @prepare`, which makes the copies; nothing when there are none.
  void addPrepare(mlir::ModuleOp module);

private:
  mlir::Value copyOf(mlir::ssm::ParameterOp parameter);

  llvm::DenseMap<mlir::Operation *, mlir::Value> made; ///< by the ssm.parameter
  /// The first operation that names each parameter with a copy.
  llvm::MapVector<mlir::StringAttr, mlir::ssm::ParameterOp> named;
};

} // namespace adjc

#endif
