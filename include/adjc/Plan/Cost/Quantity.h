//===- Quantity.h - bytes and operations as a function of a shard's size -------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_COST_QUANTITY_H
#define ADJC_PLAN_COST_QUANTITY_H

#include "adjc/Plan/Sizes.h"

#include <vector>

namespace adjc {

/// A sum of terms, each a constant times counts of dynamic dimensions: what a kernel reads, say, as a function of
/// batch, tokens and rows. Counted once for a kernel, evaluated for every shard length that a planner looks at.
class Quantity {
public:
  Quantity() = default;
  explicit Quantity(double constant) { add(constant, {}); }

  void add(double factor, llvm::ArrayRef<DimensionCount> counts);
  Quantity &operator+=(const Quantity &other);
  Quantity &operator*=(double factor);
  friend Quantity operator*(Quantity quantity, double factor) { return quantity *= factor; }

  /// The product of two.
  Quantity times(const Quantity &other) const;
  bool empty() const { return terms.empty(); }

  double at(const ShardSizes &sizes) const;

  /// Elements of a contiguous value of `type`.
  static Quantity elementsOf(mlir::RankedTensorType type);
  /// Its bytes.
  static Quantity bytesOf(mlir::RankedTensorType type);

private:
  struct Term {
    double factor = 0;
    llvm::SmallVector<DimensionCount, 2> counts;
  };
  std::vector<Term> terms;
};

} // namespace adjc

#endif
