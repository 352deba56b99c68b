//===- AdjVerifiers.cpp - what layers' adjoints, the loss, dispatches and buffers must fulfil ---------------------===//
// Products and sums are in AdjOps.cpp, programs and mini-sequences in AdjStructure.cpp, the scan's adjoint in
// AdjScanAdjoint.cpp.
#include "adj/AdjOps.h"
#include "mlir/IR/Builders.h"
#include "ssm/ShapeChecks.h"

using namespace mlir;
using namespace mlir::adj;

/// `type` holds partial sums over blocks of any number of rows of (rows, channels).
static LogicalResult checkRowPartials(Operation *op, StringRef what, Type type, int64_t channels) {
  auto tensor = cast<RankedTensorType>(type);
  auto blocks = dyn_cast_or_null<BlocksAttr>(tensor.getEncoding());
  if (blocks && blocks.getUnit() == "rows" && blocks.getSize() >= 1 && tensor.getElementType().isF32() &&
      tensor.getShape() == ArrayRef<int64_t>{ShapedType::kDynamic, channels})
    return success();
  return op->emitOpError() << what << " must be partial sums over blocks of rows, tensor<?x" << channels
                           << "xf32, #adj.blocks<\"rows\", N>> with N at least 1, found " << type;
}

static RankedTensorType getScalarType(MLIRContext *context) {
  return RankedTensorType::get({}, Float32Type::get(context));
}

LogicalResult ColumnSumOp::verify() {
  if (failed(ssm::checkActivation(*this, "x", getX().getType())))
    return failure();
  return checkRowPartials(*this, "the result", getType(), ssm::getChannels(getX().getType()));
}

LogicalResult RmsNormAdjointOp::verify() {
  Type x = getX().getType();
  if (failed(ssm::checkActivation(*this, "x", x)))
    return failure();
  int64_t channels = ssm::getChannels(x);
  if (failed(ssm::checkParameter(*this, "weight", getWeight().getType(), {channels}, " (channels)")) ||
      failed(ssm::checkStoredType(*this, "cotangent", getCotangent().getType(), x)) ||
      failed(ssm::checkType(*this, "dx", getDx().getType(), x)))
    return failure();
  return checkRowPartials(*this, "dweight", getDweight().getType(), channels);
}

LogicalResult EmbeddingAdjointOp::verify() {
  if (failed(ssm::checkTokens(*this, "tokens", getTokens().getType())) ||
      failed(ssm::checkActivation(*this, "cotangent", getCotangent().getType())))
    return failure();
  return ssm::checkParameter(*this, "dtable", getType(), {-1, ssm::getChannels(getCotangent().getType())},
                             " (vocabulary, channels)");
}

LogicalResult LmLossAdjointOp::verify() {
  Type x = getX().getType(), weight = getWeight().getType();
  if (failed(ssm::checkActivation(*this, "x", x)) ||
      failed(ssm::checkParameter(*this, "weight", weight, {-1, ssm::getChannels(x)}, " (vocabulary, channels)")) ||
      failed(ssm::checkTokens(*this, "targets", getTargets().getType())) ||
      failed(ssm::checkType(*this, "scale", getScale().getType(), getScalarType(getContext()))) ||
      failed(ssm::checkType(*this, "dx", getDx().getType(), x)) ||
      failed(ssm::checkType(*this, "dweight", getDweight().getType(), weight)))
    return failure();
  if (!getBias() != !getDbias())
    return emitOpError() << "has a bias without its cotangent, or the reverse; give both or none";
  if (!getBias())
    return success();
  int64_t vocabulary = cast<RankedTensorType>(weight).getDimSize(0);
  if (failed(ssm::checkParameter(*this, "bias", getBias().getType(), {vocabulary}, " (vocabulary)")))
    return failure();
  return ssm::checkType(*this, "dbias", getDbias().getType(), getBias().getType());
}

LogicalResult CrossEntropyOp::verify() {
  auto targets = cast<RankedTensorType>(getTargets().getType());
  if (failed(ssm::checkActivation(*this, "logits", getLogits().getType())) ||
      failed(ssm::checkTokens(*this, "targets", targets)) ||
      failed(ssm::checkType(*this, "scale", getScale().getType(), getScalarType(getContext()))))
    return failure();
  auto rows = cast<RankedTensorType>(getLogits().getType());
  if (rows.getRank() != targets.getRank() + 1 || rows.getEncoding() != targets.getEncoding())
    return emitOpError() << "has targets " << targets << " for logits " << rows << "; give one target per row";
  if (failed(ssm::checkType(*this, "losses", getLosses().getType(), targets.clone(Float32Type::get(getContext())))))
    return failure();
  if (!rows.getElementType().isF32())
    return emitOpError() << "takes logits in f32, found " << rows;
  return ssm::checkStoredType(*this, "the cotangent, which takes the logits' buffer,", getCotangent().getType(), rows);
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError() << "runs " << getKernelAttr() << ", which is no adj.kernel";
  Block &body = kernel.getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError() << "passes " << getInputs().size() << " inputs to " << getKernelAttr() << ", which takes "
                         << body.getNumArguments();
  // On buffers, outputs that are only accumulated or dropped included, each has its place in `outs`.
  size_t outputs = getResults().size() + getOuts().size() + (getAccumulateInto() ? 1 : 0);
  ValueRange yielded = body.getTerminator()->getOperands();
  if (yielded.size() != outputs)
    return emitOpError() << "takes " << outputs << " outputs of " << getKernelAttr() << ", which yields "
                         << yielded.size();
  for (auto [i, input, argument] : llvm::enumerate(getInputs(), body.getArguments()))
    if (isa<RankedTensorType>(input.getType()) && input.getType() != argument.getType())
      return emitOpError() << "passes " << input.getType() << " as input " << i << " of " << getKernelAttr()
                           << ", which takes " << argument.getType();
  for (auto [i, result] : llvm::enumerate(getResultTypes()))
    if (result != yielded[i].getType())
      return emitOpError() << "takes output " << i << " of " << getKernelAttr() << " as " << result << ", it is "
                           << yielded[i].getType();
  return success();
}

LogicalResult BufferOp::verify() {
  for (auto [what, value] : {std::pair("offset", getOffset()), std::pair("size", getSize()),
                             std::pair("layer_stride", getLayerStride()), std::pair("row_bytes", getRowBytes())})
    if (static_cast<int64_t>(value) < 0)
      return emitOpError() << what << " must not be negative, found " << static_cast<int64_t>(value);
  return success();
}

LogicalResult CopyOp::verify() {
  auto source = cast<MemRefType>(getSource().getType()), destination = cast<MemRefType>(getDestination().getType());
  if (source.getShape() != destination.getShape() || source.getElementType() != destination.getElementType())
    return emitOpError() << "copies " << source << " to " << destination << "; shapes and element types must be equal";
  return success();
}
