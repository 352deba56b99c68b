//===- Elementwise.cpp - a scalar function, element by element --------------------------------------------------===//
#include "adjc/Expand/Elementwise.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

Value elementwise(ImplicitLocOpBuilder &b, ValueRange operands, ScalarFunction function, Type element) {
  auto type = cast<RankedTensorType>(operands.front().getType());
  if (element)
    type = type.clone(element);
  SmallVector<Value> dynamicSizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      dynamicSizes.push_back(tensor::DimOp::create(b, operands.front(), dim));
  Value empty = tensor::EmptyOp::create(b, type, dynamicSizes);
  SmallVector<AffineMap> maps(operands.size() + 1, b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange arguments) {
    ImplicitLocOpBuilder inner(loc, nested);
    linalg::YieldOp::create(inner, function(inner, arguments.take_front(operands.size())));
  };
  return linalg::GenericOp::create(b, TypeRange(type), operands, ValueRange(empty), maps, iterators, body).getResult(0);
}

} // namespace adjc
