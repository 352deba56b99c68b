//===- SsmOps.cpp - the layers of the ssm dialect -----------------------------------------------------------------===//
// ssm.model and ssm.parameter are in SsmModel.cpp, ssm.repeat in SsmRepeat.cpp, ssm.scan in SsmScan.cpp.
#include "ssm/SsmOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssm/ShapeChecks.h"

using namespace mlir;
using namespace mlir::ssm;

/// One type stands for three equal ones; otherwise all are written, (a, b) -> result.
static ParseResult parseSumTypes(OpAsmParser &parser, Type &a, Type &b, Type &result) {
  if (failed(parser.parseOptionalLParen())) {
    if (parser.parseType(result))
      return failure();
    a = b = result;
    return success();
  }
  return failure(parser.parseType(a) || parser.parseComma() || parser.parseType(b) || parser.parseRParen() ||
                 parser.parseArrow() || parser.parseType(result));
}

static void printSumTypes(OpAsmPrinter &printer, Operation *, Type a, Type b, Type result) {
  if (a != result || b != result)
    printer << '(' << a << ", " << b << ") -> ";
  printer << result;
}

#define GET_OP_CLASSES
#include "ssm/SsmOps.cpp.inc"

/// `value` must be absent or hold resets.
static LogicalResult checkResets(Operation *op, Value resets) {
  return resets ? checkType(op, "resets", resets.getType(), getResetsType(op->getContext())) : success();
}

LogicalResult EmbeddingOp::verify() {
  // The table's working copy may stand for it.
  auto table = cast<RankedTensorType>(getTable().getType());
  Type master = table.getElementType().isBF16() ? table.clone(Float32Type::get(getContext())) : table;
  if (failed(checkTokens(*this, "tokens", getTokens().getType())) ||
      failed(checkParameter(*this, "table", master, {-1, -1}, " (vocabulary, channels)")))
    return failure();
  return checkActivation(*this, "result", getType(), getChannels(getTable().getType()), " as in the table");
}

LogicalResult RmsNormOp::verify() {
  if (failed(checkActivation(*this, "x", getX().getType())))
    return failure();
  int64_t channels = getChannels(getX().getType());
  if (failed(checkParameter(*this, "weight", getWeight().getType(), {channels}, ", one per channel of x")) ||
      failed(checkStoredType(*this, "result", getType(), getX().getType())))
    return failure();
  double eps = getEps().convertToDouble();
  if (!(eps > 0) || !getEps().isFinite())
    return emitOpError() << "eps must be positive and finite, found " << eps;
  return success();
}

LogicalResult ResidualOp::verify() {
  auto result = cast<RankedTensorType>(getType());
  if (!isStoredFloat(result.getElementType()))
    return emitOpError() << "result must hold f32 or bf16, found " << result;
  if (failed(checkStoredType(*this, "a", getA().getType(), result)))
    return failure();
  return checkStoredType(*this, "b", getB().getType(), result);
}

LogicalResult LinearOp::verify() {
  if (failed(checkActivation(*this, "x", getX().getType())))
    return failure();
  int64_t channels = getChannels(getX().getType());
  if (failed(checkParameter(*this, "weight", getWeight().getType(), {-1, channels},
                            " (out, in), in being the channels of x")))
    return failure();
  int64_t out = cast<RankedTensorType>(getWeight().getType()).getDimSize(0);
  if (getBias() && failed(checkParameter(*this, "bias", getBias().getType(), {out}, ", one per row of weight")))
    return failure();
  return checkActivation(*this, "result", getType(), out, ", one per row of weight");
}

LogicalResult Conv1dOp::verify() {
  if (failed(checkActivation(*this, "x", getX().getType())))
    return failure();
  int64_t channels = getChannels(getX().getType());
  if (failed(checkParameter(*this, "weight", getWeight().getType(), {channels, 1, -1},
                            " (channels, 1, width): the convolution is depthwise")))
    return failure();
  int64_t width = getChannels(getWeight().getType());
  if (getBias() && failed(checkParameter(*this, "bias", getBias().getType(), {channels}, ", one per channel of x")))
    return failure();
  if (failed(checkStoredType(*this, "result", getResult().getType(), getX().getType())))
    return failure();
  auto tail = RankedTensorType::get({ShapedType::kDynamic, width - 1, channels}, Float32Type::get(getContext()));
  if (getTail() && failed(checkType(*this, "tail (batch, width - 1, channels)", getTail().getType(), tail)))
    return failure();
  if (getNextTail() &&
      failed(checkType(*this, "next tail (batch, width - 1, channels)", getNextTail().getType(), tail)))
    return failure();
  return checkResets(*this, getResets());
}

/// The channels of `parts` add up to those of `whole`.
static LogicalResult checkParts(Operation *op, Type whole, TypeRange parts) {
  if (failed(checkActivation(op, "the whole", whole)))
    return failure();
  if (parts.empty())
    return op->emitOpError() << "has no parts";
  int64_t sum = 0;
  for (auto [i, part] : llvm::enumerate(parts)) {
    if (failed(checkActivation(op, ("part " + Twine(i)).str(), part)))
      return failure();
    Type element = cast<RankedTensorType>(part).getElementType();
    if (element != cast<RankedTensorType>(whole).getElementType())
      return op->emitOpError() << "part " << i << " is stored in " << element << ", the whole is " << whole;
    sum += getChannels(part);
  }
  if (sum != getChannels(whole))
    return op->emitOpError() << "the parts have " << sum << " channels together, expected " << getChannels(whole)
                             << ", those of the whole";
  return success();
}

LogicalResult SplitOp::verify() { return checkParts(*this, getX().getType(), getParts().getTypes()); }
LogicalResult ConcatOp::verify() { return checkParts(*this, getType(), getParts().getTypes()); }

LogicalResult MlpOp::verify() {
  if (failed(checkActivation(*this, "x", getX().getType())))
    return failure();
  int64_t channels = getChannels(getX().getType());
  if (failed(checkParameter(*this, "up", getUp().getType(), {-1, channels},
                            " (hidden, channels), channels being those of x")))
    return failure();
  int64_t hidden = cast<RankedTensorType>(getUp().getType()).getDimSize(0);
  if (getGateBias() && !getGate())
    return emitOpError() << "has a bias of the gate but no gate";
  if ((getGate() && failed(checkParameter(*this, "gate", getGate().getType(), {hidden, channels}, " as up"))) ||
      failed(checkParameter(*this, "down", getDown().getType(), {channels, hidden},
                            " (channels, hidden), the transpose of up")))
    return failure();
  std::tuple<StringRef, Value, int64_t> biases[] = {{"the bias of gate", getGateBias(), hidden},
                                                    {"the bias of up", getUpBias(), hidden},
                                                    {"the bias of down", getDownBias(), channels}};
  for (auto [what, bias, size] : biases)
    if (bias && failed(checkParameter(*this, what, bias.getType(), {size}, ", one per row of its weight")))
      return failure();
  return checkType(*this, "result", getType(), getX().getType());
}

/// Elements of one token of tensor<?x?x(static)xf32> (or bf16), or nothing for another type.
static std::optional<int64_t> getTokenSize(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  bool tokenMajor = tensor.getRank() >= 2 && tensor.isDynamicDim(0) && tensor.isDynamicDim(1) && !tensor.getEncoding();
  if (!tokenMajor || !isStoredFloat(tensor.getElementType()))
    return std::nullopt;
  int64_t size = 1;
  for (int64_t extent : tensor.getShape().drop_front(2)) {
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
    size *= extent;
  }
  return size;
}

LogicalResult ReshapeOp::verify() {
  std::optional<int64_t> before = getTokenSize(getX().getType()), after = getTokenSize(getType());
  if (!before || !after)
    return emitOpError() << (before ? "the result" : "x")
                         << " must be token-major, tensor<?x?x...xf32> (batch, tokens, any static sizes), found "
                         << (before ? getType() : getX().getType());
  if (*before != *after)
    return emitOpError() << "x has " << *before << " elements a token, the result " << *after;
  if (getElementTypeOrSelf(getX().getType()) != getElementTypeOrSelf(getType()))
    return emitOpError() << "is a view and converts nothing: x is " << getX().getType() << ", the result " << getType();
  return success();
}

LogicalResult LmLossOp::verify() {
  if (failed(checkActivation(*this, "x", getX().getType())))
    return failure();
  int64_t channels = getChannels(getX().getType());
  if (failed(checkParameter(*this, "weight", getWeight().getType(), {-1, channels},
                            " (vocabulary, channels), channels being those of x")))
    return failure();
  int64_t vocabulary = cast<RankedTensorType>(getWeight().getType()).getDimSize(0);
  if (getBias() && failed(checkParameter(*this, "bias", getBias().getType(), {vocabulary}, ", one per row of weight")))
    return failure();
  if (failed(checkTokens(*this, "targets", getTargets().getType())))
    return failure();
  return checkType(*this, "loss", getLoss().getType(), RankedTensorType::get({}, Float32Type::get(getContext())));
}

LogicalResult SelectiveScanOp::verify() {
  if (failed(checkActivation(*this, "x", getX().getType())))
    return failure();
  int64_t channels = getChannels(getX().getType());
  if (failed(checkActivation(*this, "dt", getDt().getType(), channels, " as x")) ||
      failed(checkParameter(*this, "A_log", getALog().getType(), {channels, -1},
                            " (channels, states), channels being those of x")))
    return failure();
  int64_t states = getChannels(getALog().getType());
  if (failed(checkActivation(*this, "B", getB().getType(), states, ", the states of A_log")) ||
      failed(checkActivation(*this, "C", getC().getType(), states, ", the states of A_log")))
    return failure();
  if (getD() && failed(checkParameter(*this, "skip (D)", getD().getType(), {channels}, ", one per channel of x")))
    return failure();
  if (getZ() && failed(checkActivation(*this, "gate (z)", getZ().getType(), channels, " as x")))
    return failure();
  if (getDtBias() &&
      failed(checkParameter(*this, "dt_bias", getDtBias().getType(), {channels}, ", one per channel of x")))
    return failure();
  return checkType(*this, "result", getType(), getX().getType());
}
