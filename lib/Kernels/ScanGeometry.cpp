//===- ScanGeometry.cpp - how a recurrence is cut into kernel groups
//------------------------------------------------===//
#include "ScanGeometry.h"

#include "ssm/ScanDimensions.h"
#include "ssm/ScanVerifier.h"
#include "ssm/SsmOps.h"

using namespace mlir;

namespace adjc::scan {

/// Lanes of a block of the forward scan; the adjoint's is in its type, since partial sums have a row per block.
constexpr int64_t forwardBlock = 64;

FailureOr<ScanGeometry> ScanGeometry::get(Operation *op) {
  ScanGeometry geometry;
  auto forward = dyn_cast<ssm::ScanOp>(op);
  ArrayAttr names;
  ArrayRef<int64_t> state;
  if (forward) {
    if (forward.getContracted())
      return op->emitOpError() << "has a dense transition (it contracts dimension "
                               << forward.getDims()[*forward.getContracted()]
                               << "): only scalar and diagonal transitions are lowered";
    names = forward.getDims();
    state = forward.getState();
    geometry.sizes = forward.getDimSizes();
    geometry.stateType = forward.getStateType();
    geometry.lane = ssm::getLaneDim(forward);
    geometry.block = forwardBlock;
  } else {
    auto adjoint = cast<adj::ScanAdjointOp>(op);
    names = adjoint.getDims();
    state = adjoint.getState();
    SmallVector<Type> types(adjoint.getInputs().getTypes());
    llvm::append_range(types, adjoint.getCotangents().getTypes());
    geometry.sizes = ssm::computeDimSizes(ssm::getSpace(adjoint), adjoint.getIndexingMaps(), types);
    geometry.stateType = adjoint.getStateType();
    geometry.lane = adjoint.getLane();
    geometry.block = adjoint.getLaneBlock();
  }
  if (!geometry.stateType.isF32())
    return op->emitOpError() << "has a state of " << geometry.stateType << ": only states of f32 are lowered";
  for (Attribute name : names)
    geometry.names.push_back(cast<StringAttr>(name).str());
  geometry.state.assign(state.begin(), state.end());
  geometry.stateSet = dimBit(batchDim) | dimBit(tokenDim);
  for (unsigned dim : geometry.state)
    geometry.stateSet |= dimBit(dim);
  geometry.lanes = geometry.sizes[geometry.lane];
  geometry.padded = llvm::alignTo(std::min(geometry.lanes, geometry.block), laneCount);
  return geometry;
}

SmallVector<int64_t> ScanGeometry::scratchShape(DimSet set) const {
  SmallVector<int64_t> shape;
  for (unsigned dim : members(innerDims(set)))
    shape.push_back(sizes[dim]);
  if (contains(set, lane))
    shape.push_back(padded);
  return shape;
}

SmallVector<Value> ScanGeometry::scratchIndices(DimSet set, const PointIndex &index) const {
  SmallVector<Value> indices;
  for (unsigned dim : members(innerDims(set)))
    indices.push_back(index.dims[dim]);
  if (contains(set, lane))
    indices.push_back(index.lane);
  return indices;
}

DimSet dimsOf(AffineMap map) {
  DimSet set = 0;
  for (AffineExpr result : map.getResults())
    set |= dimBit(cast<AffineDimExpr>(result).getPosition());
  return set;
}

ScanBlock makeBlock(KernelBuilder &b, const ScanGeometry &geometry, Value group) {
  ScanBlock block;
  int64_t blocks = geometry.getBlocks();
  if (blocks == 1) {
    block.batch = group;
    block.number = block.firstLane = b.index(0);
    block.count = b.index(geometry.lanes);
    block.bound = b.index(geometry.padded);
    return block;
  }
  block.batch = b.div(group, b.index(blocks));
  block.number = b.remainder(group, b.index(blocks));
  block.firstLane = b.mul(block.number, b.index(geometry.block));
  block.count = geometry.lanes % geometry.block == 0
                    ? b.index(geometry.block)
                    : b.min(b.index(geometry.block), b.sub(b.index(geometry.lanes), block.firstLane));
  block.bound =
      geometry.hasPartialVectors() ? b.mul(b.ceilDiv(block.count, laneCount), b.index(laneCount)) : block.count;
  return block;
}

PointIndex makeIndex(const ScanGeometry &geometry, const ScanBlock &block) {
  PointIndex index;
  index.dims.resize(geometry.sizes.size());
  index.dims[batchDim] = block.batch;
  index.block = block.number;
  return index;
}

PointIndex atLane(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, PointIndex index, Value lane,
                  int64_t width) {
  index.lane = lane;
  index.dims[geometry.lane] = geometry.splitsLanes() ? b.add(block.firstLane, lane) : lane;
  index.width = width;
  return index;
}

void forInner(KernelBuilder &b, const ScanGeometry &geometry, DimSet set, PointIndex index,
              function_ref<void(const PointIndex &)> body) {
  DimSet inner = geometry.innerDims(set);
  if (inner == 0)
    return body(index);
  unsigned dim = members(inner).front();
  b.loop(b.index(0), b.index(geometry.sizes[dim]), 1, [&](Value i) {
    index.dims[dim] = i;
    forInner(b, geometry, inner & ~dimBit(dim), index, body);
  });
}

void forPoints(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, DimSet set, PointIndex index,
               function_ref<void(const PointIndex &)> body) {
  forInner(b, geometry, set, index, [&](const PointIndex &point) {
    if (!contains(set, geometry.lane))
      return body(point);
    b.loop(b.index(0), block.count, 1, [&](Value lane) { body(atLane(b, geometry, block, point, lane, 1)); });
  });
}

} // namespace adjc::scan
