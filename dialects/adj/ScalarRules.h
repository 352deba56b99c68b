//===- ScalarRules.h - vjps of scalar operations ------------------------------------------------------*- C++ -*-===//
//
// Reverse mode on the scalar regions of linalg.generic and ssm.scan: one rule per arith/math operation.
//
//===----------------------------------------------------------------------------------------------------------------===//
#ifndef ADJ_SCALARRULES_H
#define ADJ_SCALARRULES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::adj {

/// Receives `contribution` to the cotangent of operand number `operand`.
using AddCotangent = llvm::function_ref<void(unsigned operand, Value contribution)>;

/// Builds the vjp of one scalar operation with a single result whose cotangent is `g`. Fails with a diagnostic that
/// names an operation without a rule.
LogicalResult buildScalarVjp(OpBuilder &builder, Operation *op, Value g, AddCotangent add);

/// True when cotangents flow through values of this type (floats and complex numbers).
bool isDifferentiable(Type type);

/// Reverse mode through a straight-line region that was already cloned (so that its values are usable at the builder's
/// insertion point).
///
/// Cotangents are summed per value. Every contribution passes through `reduce` first, which may sum it over dimensions
/// that the value does not vary over: the transpose of a broadcast. `user` is the result computed from the value, null
/// for a contribution from outside.
class ScalarAdjoint {
public:
  using Reduce = std::function<Value(OpBuilder &, Value contribution, Value target, Value user)>;

  ScalarAdjoint(OpBuilder &builder, Reduce reduce) : builder(builder), reduce(std::move(reduce)) {}

  /// Adds to the cotangent of `value`.
  void seed(Value value, Value cotangent, Value user = {});

  /// Goes through `ops` from the last to the first.
  LogicalResult run(ArrayRef<Operation *> ops);

  /// The cotangent of `value`, null when it is zero.
  Value lookup(Value value) const { return cotangents.lookup(value); }

private:
  OpBuilder &builder;
  Reduce reduce;
  llvm::DenseMap<Value, Value> cotangents;
};

} // namespace mlir::adj

#endif
