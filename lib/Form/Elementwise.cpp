#include "adjc/Form/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

Value addElementwise(OpBuilder &b, Location loc, Value left, Value right, RankedTensorType type, bool vector) {
  unsigned rank = type.getRank();
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  AffineMap second = vector ? AffineMap::get(rank, 0, b.getAffineDimExpr(rank - 1)) : identity;
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < rank; ++d)
    if (type.isDynamicDim(d))
      sizes.push_back(tensor::DimOp::create(b, loc, left, d));
  Value empty = tensor::EmptyOp::create(b, loc, type, sizes);
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(b, loc, TypeRange{type}, ValueRange{left, right}, ValueRange{empty},
                                   ArrayRef<AffineMap>{identity, second, identity}, parallel,
                                   [&](OpBuilder &inner, Location at, ValueRange args) {
                                     auto extended = [&](Value v) -> Value {
                                       return v.getType().isF32()
                                                  ? v
                                                  : arith::ExtFOp::create(inner, at, inner.getF32Type(), v);
                                     };
                                     Value first = extended(args[0]), second = extended(args[1]);
                                     Value sum = arith::AddFOp::create(inner, at, first, second);
                                     if (!type.getElementType().isF32())
                                       sum = arith::TruncFOp::create(inner, at, type.getElementType(), sum);
                                     linalg::YieldOp::create(inner, at, sum);
                                   })
      .getResult(0);
}

} // namespace adjc
