//===- ScanGeometry.cpp - how a recurrence is cut into kernel groups --------------------------------------------===//
#include "ScanGeometry.h"

#include "ssm/ScanCut.h"
#include "ssm/ScanVerifier.h"
#include "ssm/SsmOps.h"

using namespace mlir;

namespace adjc::scan {

/// What both operations have alike.
template <typename Scan> static void setSpace(ScanGeometry &geometry, Scan scan) {
  ssm::ScanSpace space = ssm::getSpace(scan);
  ssm::ScanCut cut = ssm::getScanCut(scan);
  for (unsigned dim = 0; dim < space.rank(); ++dim)
    geometry.names.push_back(space.name(dim).str());
  geometry.state.assign(space.state.begin(), space.state.end());
  geometry.contracted = space.contracted;
  geometry.contracts = space.contracts;
  geometry.stateParts = isa<ComplexType>(scan.getStateType()) ? 2 : 1;
  geometry.lane = cut.lane;
  geometry.block = cut.laneBlock;
  geometry.grouped.assign(cut.grouped.begin(), cut.grouped.end());
}

ScanGeometry ScanGeometry::get(Operation *op, KernelTarget target) {
  ScanGeometry geometry;
  if (auto forward = dyn_cast<ssm::ScanOp>(op)) {
    setSpace(geometry, forward);
    geometry.sizes = forward.getDimSizes();
  } else {
    auto adjoint = cast<adj::ScanAdjointOp>(op);
    setSpace(geometry, adjoint);
    SmallVector<Type> types(adjoint.getInputs().getTypes());
    llvm::append_range(types, adjoint.getCotangents().getTypes());
    geometry.sizes = ssm::computeDimSizes(ssm::getSpace(adjoint), adjoint.getIndexingMaps(), types);
  }
  geometry.stateType = Float32Type::get(op->getContext());
  geometry.stateSet = dimBit(batchDim) | dimBit(tokenDim);
  for (unsigned dim : geometry.state)
    geometry.stateSet |= dimBit(dim);
  for (unsigned dim : geometry.grouped)
    geometry.groupedSet |= dimBit(dim);
  geometry.lanes = geometry.sizes[geometry.lane];
  int64_t count = std::min(geometry.lanes, geometry.block);
  geometry.padded = llvm::alignTo(count, laneCount);
  if (target == KernelTarget::Gpu)
    geometry.threads = std::min<int64_t>(llvm::alignTo(count, 32), gpuThreads);
  return geometry;
}

int64_t ScanGeometry::getGroupedPoints() const {
  int64_t points = 1;
  for (unsigned dim : grouped)
    points *= sizes[dim];
  return points;
}

DimSet ScanGeometry::stateBeforeSet() const {
  return contracted ? (stateSet & ~dimBit(*contracts)) | dimBit(*contracted) : stateSet;
}

PointIndex ScanGeometry::atContracted(const PointIndex &index) const {
  PointIndex point = index;
  if (!contracted)
    return point;
  point.dims[*contracts] = index.dims[*contracted];
  if (*contracts == lane) { // the lanes are all there: a block begins with lane 0
    point.lane = index.dims[*contracted];
    point.width = 1;
  }
  return point;
}

std::optional<Value> ScanGeometry::partialNumber(KernelBuilder &b, DimSet dims, const PointIndex &index) const {
  std::optional<Value> number;
  auto add = [&](Value place, int64_t size) {
    number = number && size > 1 ? b.add(b.mul(*number, b.index(size)), place) : number.value_or(place);
  };
  for (unsigned dim : grouped)
    if (!contains(dims, dim))
      add(index.dims[dim], sizes[dim]);
  if (!contains(dims, lane))
    add(index.block, getBlocks());
  return number;
}

SmallVector<int64_t> ScanGeometry::scratchShape(DimSet set) const {
  SmallVector<int64_t> shape;
  for (unsigned dim : members(innerDims(set)))
    shape.push_back(sizes[dim]);
  if (contains(set, lane))
    shape.push_back(threads && !sharesLanes() ? llvm::divideCeil(padded, threads) : padded);
  return shape;
}

SmallVector<Value> ScanGeometry::scratchIndices(DimSet set, const PointIndex &index) const {
  SmallVector<Value> indices;
  for (unsigned dim : members(innerDims(set)))
    indices.push_back(index.dims[dim]);
  if (contains(set, lane))
    indices.push_back(lanePlace(index));
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
  // Groups are numbered by sequence, grouped dimensions in ascending order, block of lanes.
  auto next = [&](int64_t size) -> Value {
    if (size == 1)
      return b.index(0);
    Value part = b.remainder(group, b.index(size));
    group = b.div(group, b.index(size));
    return part;
  };
  block.number = next(blocks);
  block.grouped.resize(geometry.grouped.size());
  for (size_t i = geometry.grouped.size(); i-- > 0;)
    block.grouped[i] = next(geometry.sizes[geometry.grouped[i]]);
  block.batch = group;
  if (blocks == 1) {
    block.firstLane = b.index(0);
    block.count = b.index(geometry.lanes);
    block.bound = b.index(geometry.threads ? geometry.lanes : geometry.padded);
    return block;
  }
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
  for (auto [dim, place] : llvm::zip_equal(geometry.grouped, block.grouped))
    index.dims[dim] = place;
  index.block = block.number;
  return index;
}

PointIndex atLane(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, PointIndex index, Value lane,
                  int64_t width) {
  index.lane = lane;
  if (geometry.threads)
    index.ownLane = geometry.padded > geometry.threads ? b.div(lane, b.index(geometry.threads)) : b.index(0);
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

void forEachLane(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, const PointIndex &index,
                 bool strided, function_ref<void(const PointIndex &)> body) {
  auto atPlace = [&](Value lane) { body(atLane(b, geometry, block, index, lane, 1)); };
  if (strided && !b.getThreads())
    b.scalarLoop(b.index(0), block.count, atPlace);
  else
    b.spread(b.index(0), block.count, atPlace);
}

void forPoints(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, DimSet set, PointIndex index,
               bool strided, function_ref<void(const PointIndex &)> body) {
  forInner(b, geometry, set, index, [&](const PointIndex &point) {
    if (!contains(set, geometry.lane))
      return body(point);
    forEachLane(b, geometry, block, point, strided, body);
  });
}

} // namespace adjc::scan
