//===- AdjOps.cpp - the operations of the adj dialect -------------------------------------------------------------===//
// What the others must fulfil: AdjVerifiers.cpp, AdjStructure.cpp (adj.program and adj.mini_sequences),
// AdjScanAdjoint.cpp.
#include "adj/AdjOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssm/ShapeChecks.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::adj;

#define GET_OP_CLASSES
#include "adj/AdjOps.cpp.inc"

/// A tensor or buffer as a matrix: all leading dimensions are rows (dynamic if one of them is), the last is columns.
static std::pair<int64_t, int64_t> asMatrix(ShapedType type) {
  int64_t rows = 1;
  for (int64_t size : type.getShape().drop_back())
    rows = ShapedType::isDynamic(size) || ShapedType::isDynamic(rows) ? ShapedType::kDynamic : rows * size;
  return {rows, type.getShape().back()};
}

/// How a matrix's number of rows or columns reads in a message.
static std::string formatCount(int64_t count) {
  return ShapedType::isDynamic(count) ? "(batch * tokens)" : std::to_string(count);
}

/// result = op(a) op(b); a null `result` has the shape that it must have.
static LogicalResult verifyProduct(Operation *op, Type a, Type b, bool transposeA, bool transposeB, Type result) {
  auto check = [&](StringRef what, Type type) -> LogicalResult {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped || !shaped.hasRank() || shaped.getRank() < 2 || !ssm::isStoredFloat(shaped.getElementType()))
      return op->emitOpError() << what << " must be an f32 or bf16 tensor of rank 2 or more, found " << type;
    return success();
  };
  if (failed(check("a", a)) || failed(check("b", b)) || (result && failed(check("result", result))))
    return failure();
  auto [aRows, aColumns] = asMatrix(cast<ShapedType>(a));
  auto [bRows, bColumns] = asMatrix(cast<ShapedType>(b));
  if (transposeA)
    std::swap(aRows, aColumns);
  if (transposeB)
    std::swap(bRows, bColumns);
  if (aColumns != bRows)
    return op->emitOpError() << "multiplies op(a) with " << formatCount(aColumns) << " columns by op(b) with "
                             << formatCount(bRows) << " rows; they must be equal";
  if (!result)
    return success();
  auto [rows, columns] = asMatrix(cast<ShapedType>(result));
  if (rows != aRows || columns != bColumns)
    return op->emitOpError() << "result is " << result << ", as a matrix " << formatCount(rows) << " by "
                             << formatCount(columns) << ", expected " << formatCount(aRows) << " by "
                             << formatCount(bColumns);
  return success();
}

LogicalResult MatmulOp::verify() {
  return verifyProduct(*this, getA().getType(), getB().getType(), getTransposeA(), getTransposeB(), getType());
}

LogicalResult GemmOp::verify() {
  if ((getResult() ? 1 : 0) + (getC() ? 1 : 0) + (getAccumulateInto() ? 1 : 0) != 1)
    return emitOpError() << "must have one place for its product: a result, `outs` or `into`";
  if (getAccumulate() && !getC())
    return emitOpError() << "accumulates into nothing; `accumulate` goes with `outs`";
  Value product = getResult() ? Value(getResult()) : getC();
  Type a = getElementTypeOrSelf(getA().getType()), b = getElementTypeOrSelf(getB().getType());
  if (a != b)
    return emitOpError() << "multiplies " << a << " by " << b << "; give both in one precision";
  Type c = product ? getElementTypeOrSelf(product.getType()) : Type();
  if (product && c.isBF16() && (!a.isBF16() || getAccumulate()))
    return emitOpError() << (getAccumulate() ? "accumulates in bf16" : "rounds a product of f32 to bf16")
                         << "; store it in f32";
  return verifyProduct(*this, getA().getType(), getB().getType(), getTransposeA(), getTransposeB(),
                       product ? product.getType() : Type());
}

llvm::StringRef WorkingCopyOp::getName() { return getParameter().getDefiningOp<ssm::ParameterOp>().getName(); }

LogicalResult WorkingCopyOp::verify() {
  if (!getParameter().getDefiningOp<ssm::ParameterOp>())
    return emitOpError() << "must read an ssm.parameter";
  return ssm::checkType(*this, "the copy", getType(),
                        cast<RankedTensorType>(getParameter().getType()).clone(BFloat16Type::get(getContext())));
}

LogicalResult SumPartialsOp::verify() {
  auto partials = cast<RankedTensorType>(getPartials().getType());
  auto result = cast<RankedTensorType>(getType());
  bool fits = partials.getRank() > result.getRank() &&
              partials.getShape().take_back(result.getRank()) == result.getShape() &&
              partials.getElementType().isF32() && ssm::isStoredFloat(result.getElementType());
  if (!fits)
    return emitOpError() << "sums " << partials << " to " << result
                         << "; the result must be the partials, which are f32, without one or more leading dimensions";
  return success();
}

LogicalResult Conv1dAdjointOp::verify() {
  if (failed(ssm::checkActivation(*this, "x", getX().getType())))
    return failure();
  auto x = cast<RankedTensorType>(getX().getType());
  int64_t channels = ssm::getChannels(x);
  if (failed(ssm::checkParameter(*this, "weight", getWeight().getType(), {channels, 1, -1},
                                 " (channels, 1, width): the convolution is depthwise")))
    return failure();
  int64_t width = ssm::getChannels(getWeight().getType());
  auto tensor = [&](ArrayRef<int64_t> shape) { return RankedTensorType::get(shape, Float32Type::get(getContext())); };
  constexpr int64_t batch = ShapedType::kDynamic;
  if (failed(ssm::checkStoredType(*this, "cotangent", getCotangent().getType(), x)) ||
      failed(ssm::checkType(*this, "dx", getDx().getType(), x)) ||
      failed(ssm::checkType(*this, "dweight (partial sums, one per sequence)", getDweight().getType(),
                            tensor({batch, channels, 1, width}))))
    return failure();
  if (getDbias() && failed(ssm::checkType(*this, "dbias (partial sums, one per sequence)", getDbias().getType(),
                                          tensor({batch, channels}))))
    return failure();
  std::pair<StringRef, Value> tails[] = {
      {"tail", getTail()}, {"tail_cotangent", getTailCotangent()}, {"next_tail_cotangent", getNextTailCotangent()}};
  for (auto [what, value] : tails)
    if (value && failed(ssm::checkType(*this, what, value.getType(), tensor({batch, width - 1, channels}))))
      return failure();
  if (getResets())
    return ssm::checkType(*this, "resets", getResets().getType(), ssm::getResetsType(getContext()));
  return success();
}
