//===- AdjScanAdjoint.cpp - what adj.scan_adjoint must fulfil -----------------------------------------------------===//
#include "adj/AdjOps.h"
#include "mlir/IR/Builders.h"
#include "ssm/ScanCut.h"
#include "ssm/ScanVerifier.h"
#include "ssm/ShapeChecks.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::adj;
using ssm::DimensionSet;
using ssm::ScanDimensions;
using ssm::ScanSpace;

/// The tensors that the indexing maps index: inputs, then cotangents.
static SmallVector<Type> getMappedTypes(ScanAdjointOp scan) {
  SmallVector<Type> types(scan.getInputs().getTypes());
  llvm::append_range(types, scan.getCotangents().getTypes());
  return types;
}

/// (batch, state dimensions), and 2 when the state is complex.
static RankedTensorType getStateType(ScanAdjointOp scan) {
  SmallVector<int64_t> sizes = ssm::computeDimSizes(ssm::getSpace(scan), scan.getIndexingMaps(), getMappedTypes(scan));
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  for (int64_t dim : scan.getState())
    shape.push_back(sizes[dim]);
  if (isa<ComplexType>(scan.getStateType()))
    shape.push_back(2);
  return RankedTensorType::get(shape, Float32Type::get(scan.getContext()));
}

LogicalResult ScanAdjointOp::verify() {
  ScanSpace space = ssm::getSpace(*this);
  SmallVector<Type> types = getMappedTypes(*this);
  unsigned inputs = getInputs().size();
  auto describe = [&](unsigned i) {
    return (i < inputs ? "input " + Twine(i) : "cotangent " + Twine(i - inputs)).str();
  };
  if (failed(ssm::verifyScanSpace(*this, space, getStateType(), getIndexingMaps(), types, describe)))
    return failure();
  int64_t lane = getLane();
  if (!llvm::is_contained(getState(), lane))
    return emitOpError() << "the lane must be a state dimension, found number " << lane;
  if (static_cast<int64_t>(getLaneBlock()) < 1)
    return emitOpError() << "lane_block must be at least 1, found " << getLaneBlock();
  RankedTensorType state = ::getStateType(*this);
  if (failed(ssm::verifyCheckpoints(*this, state, getCheckpointEvery(), getCheckpoints().getType())))
    return failure();
  if (getStateCotangent() && failed(ssm::checkType(*this, "state cotangent", getStateCotangent().getType(), state)))
    return failure();
  if (getNextStateCotangent() &&
      failed(ssm::checkType(*this, "next state cotangent", getNextStateCotangent().getType(), state)))
    return failure();
  if (getResets() && failed(ssm::checkType(*this, "resets", getResets().getType(), ssm::getResetsType(getContext()))))
    return failure();
  if (getDifferentiated().size() != getInputCotangents().size())
    return emitOpError() << "yields " << getInputCotangents().size() << " input cotangents for "
                         << getDifferentiated().size() << " differentiated inputs";
  for (int64_t dim : getGrouped())
    if (dim == lane || !llvm::is_contained(getState(), dim))
      return emitOpError() << "a grouped dimension must be a state dimension other than the lane, found number " << dim;
  ssm::ScanCut cut = ssm::getScanCut(*this);
  SmallVector<int64_t> sizes = ssm::computeDimSizes(space, getIndexingMaps(), types);
  for (auto [number, result] : llvm::zip(getDifferentiated(), getInputCotangents())) {
    if (number < 0 || number >= static_cast<int64_t>(inputs))
      return emitOpError() << "differentiates input " << number << "; there are " << inputs;
    DimensionSet dims = space.of(cast<AffineMapAttr>(getIndexingMaps()[number]).getValue());
    RankedTensorType expected = cut.getCotangentType(cast<RankedTensorType>(types[number]), dims, sizes);
    if (failed(ssm::checkType(*this, ("the cotangent of input " + Twine(number)).str(), result.getType(), expected)))
      return failure();
  }
  return success();
}

LogicalResult ScanAdjointOp::verifyRegions() {
  ScanSpace space = ssm::getSpace(*this);
  Type f32 = Float32Type::get(getContext()), flag = IntegerType::get(getContext(), 1);
  SmallVector<Type> arguments(getInputs().size(), f32);
  arguments.push_back(flag);
  if (failed(ssm::verifyScanRegion(*this, getStep(), "step", arguments, space)))
    return failure();
  arguments.pop_back();
  arguments.append(getCotangents().size(), f32);
  arguments.append(3, getStateType());
  arguments.push_back(flag);
  if (failed(ssm::verifyScanRegion(*this, getAdjoint(), "adjoint", arguments, space)))
    return failure();
  ScanDimensions dimensions(*this);
  if (failed(ssm::verifySums(*this, dimensions, space)))
    return failure();
  auto yield = cast<ssm::YieldOp>(getAdjoint().front().getTerminator());
  if (yield.getNumOperands() != 1 + getDifferentiated().size())
    return yield.emitOpError() << "must yield the state cotangent and one contribution per differentiated input, "
                               << 1 + getDifferentiated().size() << " values, found " << yield.getNumOperands();
  if (yield.getOperand(0).getType() != getStateType())
    return yield.emitOpError() << "the state cotangent must be " << getStateType() << ", found "
                               << yield.getOperand(0).getType();
  for (auto [i, value] : llvm::enumerate(yield.getOperands())) {
    DimensionSet allowed = space.ofStateBefore();
    if (i > 0) {
      if (!value.getType().isF32())
        return yield.emitOpError() << "contribution " << i - 1 << " must be f32, found " << value.getType();
      int64_t input = getDifferentiated()[i - 1];
      allowed = space.of(cast<AffineMapAttr>(getIndexingMaps()[input]).getValue()) |= space.ofFlag();
    }
    DimensionSet excess = dimensions.get(value);
    if (excess.reset(allowed).any())
      return yield.emitOpError() << (i == 0 ? std::string("the state cotangent")
                                            : ("contribution " + Twine(i - 1)).str())
                                 << " varies over " << space.format(excess)
                                 << ", which it must not; sum over it with ssm.sum";
  }
  return success();
}
