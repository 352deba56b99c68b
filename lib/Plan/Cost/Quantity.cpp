#include "adjc/Plan/Cost/Quantity.h"

using namespace mlir;

namespace adjc {

void Quantity::add(double factor, ArrayRef<DimensionCount> counts) {
  if (factor != 0)
    terms.push_back({factor, SmallVector<DimensionCount, 2>(counts)});
}

Quantity &Quantity::operator+=(const Quantity &other) {
  for (size_t i = 0, end = other.terms.size(); i < end; ++i) // `other` may be this
    terms.push_back(Term(other.terms[i]));
  return *this;
}

Quantity &Quantity::operator*=(double factor) {
  for (Term &term : terms)
    term.factor *= factor;
  return *this;
}

Quantity Quantity::times(const Quantity &other) const {
  Quantity product;
  for (const Term &left : terms)
    for (const Term &right : other.terms) {
      SmallVector<DimensionCount, 2> counts(left.counts);
      llvm::append_range(counts, right.counts);
      product.add(left.factor * right.factor, counts);
    }
  return product;
}

double Quantity::at(const ShardSizes &sizes) const {
  double sum = 0;
  for (const Term &term : terms) {
    double product = term.factor;
    for (const DimensionCount &count : term.counts)
      product *= static_cast<double>(countAt(count, sizes));
    sum += product;
  }
  return sum;
}

Quantity Quantity::elementsOf(RankedTensorType type) {
  double factor = 1;
  for (int64_t size : type.getShape())
    factor *= ShapedType::isDynamic(size) ? 1 : static_cast<double>(size);
  Quantity quantity;
  quantity.add(factor, dynamicDimensions(type));
  return quantity;
}

Quantity Quantity::bytesOf(RankedTensorType type) {
  return elementsOf(type) * static_cast<double>(elementBytes(type.getElementType()));
}

} // namespace adjc
