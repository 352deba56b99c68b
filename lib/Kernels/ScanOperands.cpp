//===- ScanOperands.cpp - what a recurrence reads and writes outside of its scratch
//---------------------------------===//
#include "ScanOperands.h"
#include "ScanScratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace adjc::scan {

SmallVector<Value> mapIndices(AffineMap map, const PointIndex &index) {
  return llvm::map_to_vector(map.getResults(),
                             [&](AffineExpr result) { return index.dims[cast<AffineDimExpr>(result).getPosition()]; });
}

/// Whether a tensor of this map cannot be read or written in vectors of lanes.
static bool needsCopy(const ScanGeometry &geometry, AffineMap map) {
  return geometry.hasPartialVectors() || !map.getNumResults() ||
         map.getDimPosition(map.getNumResults() - 1) != geometry.lane;
}

PointNode *addInput(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, Value tensor,
                    AffineMap map) {
  Value view = context.fullView(tensor);
  bool hasLane = contains(dimsOf(map), geometry.lane);
  return program.addLeaf(
      dimsOf(map), cast<RankedTensorType>(tensor.getType()).getElementType(),
      [=](KernelBuilder &b, const PointIndex &index, ValueRange) {
        return loadLanes(b, view, mapIndices(map, index), hasLane ? index.width : 1);
      },
      needsCopy(geometry, map));
}

void prefetchRow(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, Value view, AffineMap map,
                 const PointIndex &index) {
  DimSet dims = dimsOf(map);
  if (!contains(dims, tokenDim) || !contains(dims, geometry.lane) || geometry.innerDims(dims) != 0 ||
      map.getDimPosition(map.getNumResults() - 1) != geometry.lane)
    return;
  // Two tokens are some hundred nanoseconds apart: enough for memory.
  for (int64_t lane = 0; lane < std::min(geometry.block, geometry.lanes); lane += laneCount) {
    PointIndex place = atLane(b, geometry, block, index, b.index(lane), laneCount);
    if (geometry.splitsLanes())
      place.dims[geometry.lane] = b.min(place.dims[geometry.lane], b.index(geometry.lanes - 1));
    memref::PrefetchOp::create(b, view, mapIndices(map, place), /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }
}

PointNode *addCotangent(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, Value tensor,
                        AffineMap map) {
  PointNode *leaf = addInput(program, geometry, context, tensor, map);
  if (!geometry.splitsLanes() || contains(dimsOf(map), geometry.lane))
    return leaf;
  return program.addValue({leaf}, leaf->type, [](KernelBuilder &b, const PointIndex &index, ValueRange values) {
    Value first = b.compare(arith::CmpIPredicate::eq, index.block, b.index(0));
    return b.select(first, values[0], b.constant(values[0].getType(), 0.0));
  });
}

PointNode *addResetFlag(PointProgram &program, KernelContext &context, Value resets) {
  Type type = context.b.getI1Type();
  if (!resets)
    return program.addValue({}, type, [](KernelBuilder &b, const PointIndex &, ValueRange) -> Value {
      return arith::ConstantOp::create(b, b.getBoolAttr(false));
    });
  Value view = context.fullView(resets);
  return program.addLeaf(
      dimBit(batchDim) | dimBit(tokenDim), type,
      [=](KernelBuilder &b, const PointIndex &index, ValueRange) {
        Value flag = b.load(view, {index.dims[batchDim], index.dims[tokenDim]});
        return b.compare(arith::CmpIPredicate::ne, flag, b.constant(flag.getType(), 0));
      },
      /*copied=*/false);
}

void addOutput(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, PointNode *node,
               Value tensor, AffineMap map, std::function<SmallVector<Value>(const PointIndex &)> leading) {
  Value view = context.fullView(tensor);
  program.addStore(
      node, dimsOf(map) | dimBit(batchDim) | dimBit(tokenDim),
      [=](KernelBuilder &b, const PointIndex &index, ValueRange values) {
        SmallVector<Value> indices = leading(index);
        llvm::append_range(indices, mapIndices(map, index));
        storeLanes(b, values[0], view, indices);
        return Value();
      },
      needsCopy(geometry, map));
}

PointNode *addStep(PointProgram &program, PointNode *transition, PointNode *before, PointNode *term) {
  return program.addValue({transition, before, term}, before->type,
                          [](KernelBuilder &b, const PointIndex &, ValueRange values) -> Value {
                            auto product = arith::MulFOp::create(b, values[0], values[1]);
                            auto sum = arith::AddFOp::create(b, product, values[2]);
                            product.setFastmath(arith::FastMathFlags::contract);
                            sum.setFastmath(arith::FastMathFlags::contract);
                            return sum;
                          });
}

PointNode *addUnlessReset(PointProgram &program, PointNode *node, PointNode *flag) {
  if (!flag)
    return node;
  return program.addValue({flag, node}, node->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) {
    return b.select(values[0], b.constant(values[1].getType(), 0.0), values[1]);
  });
}

//===----------------------------------------------------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------------------------------------------------===//

static SmallVector<Value> concat(ValueRange leading, ArrayRef<Value> rest) {
  SmallVector<Value> indices(leading);
  indices.append(rest.begin(), rest.end());
  return indices;
}

static SmallVector<Value> stateIndices(const ScanGeometry &geometry, const PointIndex &index) {
  return llvm::map_to_vector(geometry.state, [&](unsigned dim) { return index.dims[dim]; });
}

void loadStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, Value view, ValueRange leading,
                Value scratch, ValueRange scratchLeading) {
  forPoints(b, geometry, block, geometry.stateSet, makeIndex(geometry, block), [&](const PointIndex &index) {
    Value value = b.load(view, concat(leading, stateIndices(geometry, index)));
    b.store(value, scratch, concat(scratchLeading, geometry.scratchIndices(geometry.stateSet, index)));
  });
}

void storeStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, Value view, ValueRange leading,
                 Value scratch) {
  forPoints(b, geometry, block, geometry.stateSet, makeIndex(geometry, block), [&](const PointIndex &index) {
    Value value = b.load(scratch, geometry.scratchIndices(geometry.stateSet, index));
    b.store(value, view, concat(leading, stateIndices(geometry, index)));
  });
}

} // namespace adjc::scan
