//===- ShapeChecks.cpp - shape checks that verifiers share --------------------------------------------------------===//
#include "ssm/ShapeChecks.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

std::string ssm::formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  unsigned dynamic = 0;
  stream << '(';
  llvm::interleaveComma(shape, stream, [&](int64_t size) {
    if (!ShapedType::isDynamic(size))
      stream << size;
    else
      stream << (dynamic++ == 0 ? "batch" : "tokens");
  });
  stream << ')';
  return text;
}

int64_t ssm::getChannels(Type type) { return cast<RankedTensorType>(type).getShape().back(); }

bool ssm::isStoredFloat(Type type) { return type.isF32() || type.isBF16(); }

LogicalResult ssm::checkActivation(Operation *op, StringRef what, Type type, int64_t channels, const Twine &because) {
  auto tensor = cast<RankedTensorType>(type);
  bool rowsOfMiniSequence = tensor.getRank() == 2 && tensor.getEncoding();
  bool tokenMajor = (tensor.getRank() == 3 || rowsOfMiniSequence) && tensor.isDynamicDim(0) &&
                    (rowsOfMiniSequence || tensor.isDynamicDim(1)) && !ShapedType::isDynamic(getChannels(type));
  if (!tokenMajor || !isStoredFloat(tensor.getElementType()))
    return op->emitOpError() << what << " must be token-major, tensor<?x?xCxf32> (batch, tokens, channels), found "
                             << type;
  if (channels >= 0 && getChannels(type) != channels)
    return op->emitOpError() << what << " has " << getChannels(type) << " channels, expected " << channels << because;
  return success();
}

LogicalResult ssm::checkTokens(Operation *op, StringRef what, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  bool rowsOfMiniSequence = tensor.getRank() == 1 && tensor.getEncoding();
  bool allDynamic = llvm::all_of(tensor.getShape(), ShapedType::isDynamic);
  if (!allDynamic || (tensor.getRank() != 2 && !rowsOfMiniSequence) || !tensor.getElementType().isInteger(32))
    return op->emitOpError() << what << " must be tensor<?x?xi32> (batch, tokens), found " << type;
  return success();
}

LogicalResult ssm::checkParameter(Operation *op, StringRef what, Type type, ArrayRef<int64_t> shape,
                                  const Twine &because) {
  auto tensor = cast<RankedTensorType>(type);
  if (!tensor.getElementType().isF32())
    return op->emitOpError() << what << " must hold f32, found " << type;
  bool fits = tensor.hasStaticShape() && tensor.getRank() == static_cast<int64_t>(shape.size());
  for (auto [size, expected] : llvm::zip(tensor.getShape(), shape))
    fits &= expected == -1 || size == expected;
  if (fits)
    return success();
  auto diagnostic = op->emitOpError() << what << " has shape " << formatShape(tensor.getShape()) << ", expected (";
  llvm::interleaveComma(shape, diagnostic, [&](int64_t size) {
    if (size == -1)
      diagnostic << "any";
    else
      diagnostic << size;
  });
  return diagnostic << ")" << because;
}

LogicalResult ssm::checkStoredType(Operation *op, StringRef what, Type type, Type expected) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && isStoredFloat(tensor.getElementType()) &&
      tensor.clone(cast<RankedTensorType>(expected).getElementType()) == expected)
    return success();
  return checkType(op, what, type, expected);
}

LogicalResult ssm::checkType(Operation *op, StringRef what, Type type, Type expected) {
  if (type != expected)
    return op->emitOpError() << what << " must be " << expected << ", found " << type;
  return success();
}

RankedTensorType ssm::getResetsType(MLIRContext *context) {
  return RankedTensorType::get({ShapedType::kDynamic, ShapedType::kDynamic}, IntegerType::get(context, 8));
}
