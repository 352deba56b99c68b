//===- AdjCarries.cpp - what the layers' adjoints carry across a token boundary, from right to left -------------===//
#include "adj/AdjOps.h"

using namespace mlir;
using namespace mlir::adj;

//===----------------------------------------------------------------------------------------------------------------===//
// conv1d_adjoint: the cotangent of the tail
//===----------------------------------------------------------------------------------------------------------------===//

SmallVector<Carry> Conv1dAdjointOp::getCarries() {
  auto x = cast<RankedTensorType>(getX().getType());
  int64_t width = cast<RankedTensorType>(getWeight().getType()).getDimSize(2);
  if (width == 1)
    return {};
  auto type = RankedTensorType::get({ShapedType::kDynamic, width - 1, x.getDimSize(2)}, Float32Type::get(getContext()));
  return {{"tail", type, Composition::LastRows}};
}

StringRef Conv1dAdjointOp::getCarryScope() { return getCarryName().value_or(""); }
void Conv1dAdjointOp::setCarryScope(StringRef name) { setCarryName(name); }
bool Conv1dAdjointOp::carriesCotangents() { return true; }

LogicalResult Conv1dAdjointOp::attachCarries(RewriterBase &rewriter, ValueRange carriedIn, Value resets,
                                             SmallVectorImpl<Value> &carriedOut) {
  rewriter.setInsertionPoint(*this);
  Value cotangent, tail;
  if (!carriedIn.empty()) {
    cotangent = carriedIn.front();
    // The weight's cotangent needs the tail that the forward convolution received: the boundary still holds it.
    tail = CarriedOp::create(rewriter, getLoc(), cotangent.getType(), (getCarryScope() + "/tail").str(),
                             /*cotangent=*/false);
  }
  auto op =
      Conv1dAdjointOp::create(rewriter, getLoc(), getDx().getType(), getDweight().getType(),
                              getDbias() ? getDbias().getType() : Type(), cotangent ? cotangent.getType() : Type(),
                              getX(), getWeight(), getCotangent(), tail, cotangent, resets, getCarryNameAttr());
  if (cotangent)
    carriedOut.push_back(op.getNextTailCotangent());
  SmallVector<Value> results{op.getDx(), op.getDweight()};
  if (getDbias())
    results.push_back(op.getDbias());
  rewriter.replaceOp(*this, results);
  return success();
}

//===----------------------------------------------------------------------------------------------------------------===//
// scan_adjoint: the cotangent of the state
//===----------------------------------------------------------------------------------------------------------------===//

SmallVector<Carry> ScanAdjointOp::getCarries() {
  auto checkpoints = cast<RankedTensorType>(getCheckpoints().getType());
  SmallVector<int64_t> shape(checkpoints.getShape());
  shape.erase(shape.begin() + 1); // (b, blocks of tokens, state) -> (b, state)
  return {{"state", RankedTensorType::get(shape, checkpoints.getElementType()), Composition::Affine}};
}

StringRef ScanAdjointOp::getCarryScope() { return getCarryName().value_or(""); }
void ScanAdjointOp::setCarryScope(StringRef name) { setCarryName(name); }
bool ScanAdjointOp::carriesCotangents() { return true; }

LogicalResult ScanAdjointOp::attachCarries(RewriterBase &rewriter, ValueRange carriedIn, Value resets,
                                           SmallVectorImpl<Value> &carriedOut) {
  rewriter.setInsertionPoint(*this);
  Value cotangent = carriedIn.front();
  auto op = ScanAdjointOp::create(rewriter, getLoc(), TypeRange(getInputCotangents()), cotangent.getType(), getInputs(),
                                  getCotangents(), getCheckpoints(), cotangent, resets, getDimsAttr(), getStateAttr(),
                                  getStateTypeAttr(), getContractedAttr(), getContractsAttr(), getIndexingMapsAttr(),
                                  getDifferentiatedAttr(), getCheckpointEveryAttr(), getLaneAttr(), getLaneBlockAttr(),
                                  getGroupedAttr(), getCarryNameAttr());
  rewriter.inlineRegionBefore(getStep(), op.getStep(), op.getStep().begin());
  rewriter.inlineRegionBefore(getAdjoint(), op.getAdjoint(), op.getAdjoint().begin());
  carriedOut.push_back(op.getNextStateCotangent());
  rewriter.replaceOp(*this, op.getInputCotangents());
  return success();
}
