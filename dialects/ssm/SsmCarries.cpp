//===- SsmCarries.cpp - what the layers carry across a token boundary -------------------------------------------===//
#include "adj/AdjOps.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

//===----------------------------------------------------------------------------------------------------------------===//
// conv1d: the last W-1 inputs
//===----------------------------------------------------------------------------------------------------------------===//

SmallVector<adj::Carry> Conv1dOp::getCarries() {
  auto x = cast<RankedTensorType>(getX().getType());
  int64_t width = cast<RankedTensorType>(getWeight().getType()).getDimSize(2);
  if (width == 1)
    return {};
  auto type = RankedTensorType::get({ShapedType::kDynamic, width - 1, x.getDimSize(2)}, Float32Type::get(getContext()));
  return {{"tail", type, adj::Composition::LastRows}};
}

StringRef Conv1dOp::getCarryScope() { return getCarryName().value_or(""); }
void Conv1dOp::setCarryScope(StringRef name) { setCarryName(name); }
bool Conv1dOp::carriesCotangents() { return false; }

LogicalResult Conv1dOp::attachCarries(RewriterBase &rewriter, ValueRange carriedIn, Value resets,
                                      SmallVectorImpl<Value> &carriedOut) {
  rewriter.setInsertionPoint(*this);
  Value tail = carriedIn.empty() ? Value() : carriedIn.front();
  auto op = Conv1dOp::create(rewriter, getLoc(), getResult().getType(), tail ? tail.getType() : Type(), getX(),
                             getWeight(), getBias(), tail, resets, getCarryNameAttr());
  if (tail)
    carriedOut.push_back(op.getNextTail());
  rewriter.replaceOp(*this, op.getResult());
  return success();
}

//===----------------------------------------------------------------------------------------------------------------===//
// scan: the state
//===----------------------------------------------------------------------------------------------------------------===//

SmallVector<adj::Carry> ScanOp::getCarries() { return {{"state", getStateTensorType(), adj::Composition::Affine}}; }

StringRef ScanOp::getCarryScope() { return getCarryName().value_or(""); }
void ScanOp::setCarryScope(StringRef name) { setCarryName(name); }
bool ScanOp::carriesCotangents() { return false; }

LogicalResult ScanOp::attachCarries(RewriterBase &rewriter, ValueRange carriedIn, Value resets,
                                    SmallVectorImpl<Value> &carriedOut) {
  rewriter.setInsertionPoint(*this);
  Value initial = carriedIn.front();
  auto op = ScanOp::create(rewriter, getLoc(), TypeRange(getOutputs()), initial.getType(),
                           getCheckpoints() ? getCheckpoints().getType() : Type(), getInputs(), initial, resets,
                           getDimsAttr(), getStateAttr(), getStateTypeAttr(), getContractedAttr(), getContractsAttr(),
                           getIndexingMapsAttr(), getCheckpointEveryAttr(), getCarryNameAttr());
  rewriter.inlineRegionBefore(getStep(), op.getStep(), op.getStep().begin());
  rewriter.inlineRegionBefore(getRead(), op.getRead(), op.getRead().begin());
  carriedOut.push_back(op.getFinal());
  SmallVector<Value> results(op.getOutputs());
  if (getCheckpoints())
    results.push_back(op.getCheckpoints());
  rewriter.replaceOp(*this, results);
  return success();
}
