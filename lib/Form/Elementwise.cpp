#include "adjc/Form/Elementwise.h"

#include "adjc/Expand/Elementwise.h"
#include "adjc/Kernels/KernelContext.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssm/SsmOps.h"

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

/// The operation on scalars, as a linalg.generic on rows.
static Value convertRows(OpBuilder &builder, Operation *conversion) {
  ImplicitLocOpBuilder b(conversion->getLoc(), builder);
  Type element = cast<RankedTensorType>(conversion->getResult(0).getType()).getElementType();
  auto convert = [&](ImplicitLocOpBuilder &inner, ValueRange v) -> Value {
    return isa<arith::TruncFOp>(conversion) ? Value(arith::TruncFOp::create(inner, element, v[0]))
                                            : Value(arith::ExtFOp::create(inner, element, v[0]));
  };
  return elementwise(b, conversion->getOperand(0), convert, element);
}

void spellOutElementwise(adj::ProgramOp program) {
  SmallVector<Operation *> ops;
  program.walk([&](Operation *op) {
    bool conversion = isa<arith::TruncFOp, arith::ExtFOp>(op) && isa<RankedTensorType>(op->getResult(0).getType()) &&
                      hasTokenRows(cast<RankedTensorType>(op->getResult(0).getType()));
    if (conversion || isa<ssm::ResidualOp, ssm::LinearOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    OpBuilder b(op);
    Value replacement;
    if (auto residual = dyn_cast<ssm::ResidualOp>(op)) {
      replacement = addElementwise(b, op->getLoc(), residual.getA(), residual.getB(),
                                   cast<RankedTensorType>(residual.getType()), false);
    } else if (auto linear = dyn_cast<ssm::LinearOp>(op)) {
      auto type = cast<RankedTensorType>(linear.getType());
      // With a bias it is the sum that is rounded, not the product.
      Type product = linear.getBias() ? type.clone(b.getF32Type()) : type;
      replacement = adj::MatmulOp::create(b, op->getLoc(), product, linear.getX(), linear.getWeight(), UnitAttr(),
                                          b.getUnitAttr());
      if (linear.getBias())
        replacement = addElementwise(b, op->getLoc(), replacement, linear.getBias(), type, true);
    } else {
      replacement = convertRows(b, op);
    }
    op->getResult(0).replaceAllUsesWith(replacement);
    op->erase();
  }
}

} // namespace adjc
