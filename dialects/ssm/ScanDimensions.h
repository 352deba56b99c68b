//===- ScanDimensions.h - which dimensions a value of a scan's region varies over -----------------------*- C++ -*-===//
#ifndef SSM_SCANDIMENSIONS_H
#define SSM_SCANDIMENSIONS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Region.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::adj {
class ScanAdjointOp;
}

namespace mlir::ssm {
class ScanOp;

/// A set of dimensions of an iteration space: bit i is dimension i.
using DimensionSet = llvm::SmallBitVector;

/// Numbers of the two dimensions every iteration space starts with.
enum : unsigned { kBatchDim = 0, kTokenDim = 1 };

/// The iteration space of ssm.scan and adj.scan_adjoint, without the operation: what verifiers and analyses share.
struct ScanSpace {
  ArrayAttr names;                              ///< of the dimensions
  ArrayRef<int64_t> state;                      ///< the state's dimensions, in storage order
  std::optional<int64_t> contracted, contracts; ///< of a dense transition
  unsigned rank() const { return names.size(); }
  StringRef name(unsigned dim) const { return cast<StringAttr>(names[dim]).getValue(); }
  DimensionSet none() const { return DimensionSet(rank()); }
  /// The dimensions of a projection.
  DimensionSet of(AffineMap map) const;
  /// Batch and token: what a reset flag varies over.
  DimensionSet ofFlag() const;
  /// Batch, token and the state's dimensions.
  DimensionSet ofState() const;
  /// What a transition is applied to varies over these: the state's, with the contracted dimension in place of the one
  /// it contracts.
  DimensionSet ofStateBefore() const;
  /// "d, n": how a set reads in a message; "nothing" for the empty one.
  std::string format(const DimensionSet &set) const;
};

ScanSpace getSpace(ScanOp scan);
ScanSpace getSpace(adj::ScanAdjointOp scan);

/// The set of dimensions that every value in a scan's regions varies over. An argument varies over the dimensions of
/// its operand's map (the state over batch, token and state dimensions, a flag over batch and token), a constant over
/// none, ssm.sum's result over its operand's without those summed, any other value over the union of its operands'
/// sets.
class ScanDimensions {
public:
  /// Both regions of a scan.
  explicit ScanDimensions(ScanOp scan);
  explicit ScanDimensions(adj::ScanAdjointOp scan);

  /// The set of `value`, which is an argument or a result in one of the regions.
  const DimensionSet &get(Value value) const { return sets.find(value)->second; }
  bool variesOver(Value value, unsigned dim) const { return get(value).test(dim); }
  bool variesOverToken(Value value) const { return variesOver(value, kTokenDim); }

private:
  void add(Region &region, ArrayRef<DimensionSet> arguments);

  unsigned rank;
  llvm::DenseMap<Value, DimensionSet> sets;
};

/// The state dimension that kernels vectorise over: the last dimension of the first output's map when that is a state
/// dimension, otherwise the largest state dimension (the first of equals). The contracted dimension is none.
unsigned getLaneDim(ScanOp scan);

} // namespace mlir::ssm

#endif
