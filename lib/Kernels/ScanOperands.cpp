//===- ScanOperands.cpp - what a recurrence reads and writes outside of its scratch -----------------------------===//
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

bool isStrided(const ScanGeometry &geometry, AffineMap map) {
  return !map.getNumResults() || map.getDimPosition(map.getNumResults() - 1) != geometry.lane;
}

/// Whether a tensor of this map cannot be read or written in vectors of lanes.
static bool needsCopy(const ScanGeometry &geometry, AffineMap map) {
  return !geometry.threads && (geometry.hasPartialVectors() || isStrided(geometry, map));
}

PointNode *addInput(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, Value tensor,
                    AffineMap map) {
  Value view = context.fullView(tensor);
  bool hasLane = contains(dimsOf(map), geometry.lane);
  // Whatever the tensor is stored in, a point has it in f32.
  PointNode *leaf = program.addLeaf(
      dimsOf(map), context.b.getF32Type(),
      [=](KernelBuilder &b, const PointIndex &index, ValueRange) {
        return loadLanes(b, view, mapIndices(map, index), hasLane ? index.width : 1);
      },
      needsCopy(geometry, map));
  leaf->strided = isStrided(geometry, map);
  leaf->tensor = tensor;
  leaf->map = map;
  return leaf;
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
  PointNode *leaf = program.addLeaf(
      dimBit(batchDim) | dimBit(tokenDim), type,
      [=](KernelBuilder &b, const PointIndex &index, ValueRange) {
        Value flag = b.load(view, {index.dims[batchDim], index.dims[tokenDim]});
        return b.compare(arith::CmpIPredicate::ne, flag, b.constant(flag.getType(), 0));
      },
      /*copied=*/false);
  leaf->tensor = resets;
  return leaf;
}

void addOutput(PointProgram &program, const ScanGeometry &geometry, KernelContext &context, PointNode *node,
               Value tensor, AffineMap map, std::function<SmallVector<Value>(const PointIndex &)> leading) {
  Value view = context.fullView(tensor);
  PointNode *store = program.addStore(
      node, dimsOf(map) | dimBit(batchDim) | dimBit(tokenDim),
      [=](KernelBuilder &b, const PointIndex &index, ValueRange values) {
        SmallVector<Value> indices = leading(index);
        llvm::append_range(indices, mapIndices(map, index));
        storeLanes(b, values[0], view, indices);
        return Value();
      },
      needsCopy(geometry, map));
  store->strided = isStrided(geometry, map);
}

/// x op y, for one of the builder's operations on two values.
static PointNode *addBinary(PointProgram &program, Value (KernelBuilder::*operation)(Value, Value), PointNode *x,
                            PointNode *y) {
  return program.addValue({x, y}, x->type, [operation](KernelBuilder &b, const PointIndex &, ValueRange values) {
    return (b.*operation)(values[0], values[1]);
  });
}

/// x * y + z, which the target may contract.
static PointNode *addMultiplyAdd(PointProgram &program, PointNode *x, PointNode *y, PointNode *z) {
  return program.addValue({x, y, z}, y->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) -> Value {
    auto product = arith::MulFOp::create(b, values[0], values[1]);
    auto sum = arith::AddFOp::create(b, product, values[2]);
    product.setFastmath(arith::FastMathFlags::contract);
    sum.setFastmath(arith::FastMathFlags::contract);
    return sum;
  });
}

PointValue addStep(PointProgram &program, const ScanGeometry &geometry, PointValue a, PointValue h, PointValue u) {
  if (!geometry.contracted && !h.im)
    return {addMultiplyAdd(program, a.re, h.re, u.re)};
  auto multiply = [&](PointNode *x, PointNode *y) { return addBinary(program, &KernelBuilder::mul, x, y); };
  PointValue product{multiply(a.re, h.re)};
  if (h.im) {
    product.re = addBinary(program, &KernelBuilder::sub, product.re, multiply(a.im, h.im));
    product.im = addBinary(program, &KernelBuilder::add, multiply(a.re, h.im), multiply(a.im, h.re));
  }
  auto finish = [&](PointNode *part, PointNode *term) -> PointNode * {
    if (!part)
      return nullptr;
    if (geometry.contracted)
      part = program.addSum(part, dimBit(*geometry.contracted));
    return addBinary(program, &KernelBuilder::add, part, term);
  };
  return {finish(product.re, u.re), finish(product.im, u.im)};
}

PointValue addUnlessReset(PointProgram &program, PointValue value, PointNode *flag) {
  if (!flag)
    return value;
  auto part = [&](PointNode *node) -> PointNode * {
    if (!node)
      return nullptr;
    return program.addValue({flag, node}, node->type, [](KernelBuilder &b, const PointIndex &, ValueRange values) {
      return b.select(values[0], b.constant(values[1].getType(), 0.0), values[1]);
    });
  };
  return {part(value.re), part(value.im)};
}

SmallVector<PointValue> toValues(ArrayRef<PointNode *> nodes) {
  return llvm::map_to_vector(nodes, [](PointNode *node) { return PointValue{node}; });
}

//===----------------------------------------------------------------------------------------------------------------===//
// States in scratch
//===----------------------------------------------------------------------------------------------------------------===//

using LeadingIndices = std::function<SmallVector<Value>(const PointIndex &)>;

/// Place and point of a state in scratch.
static std::pair<SmallVector<Value>, PointIndex> locate(const ScanGeometry &geometry, const PointIndex &index,
                                                        bool before, const LeadingIndices &leading) {
  PointIndex point = before ? geometry.atContracted(index) : index;
  SmallVector<Value> place = leading ? leading(index) : SmallVector<Value>();
  llvm::append_range(place, geometry.scratchIndices(geometry.stateSet, point));
  return {place, point};
}

PointValue addStateLeaf(PointProgram &program, const ScanGeometry &geometry, const StateScratch &states, bool before,
                        LeadingIndices leading) {
  auto part = [&](Value scratch) {
    return program.addLeaf(
        before ? geometry.stateBeforeSet() : geometry.stateSet, geometry.stateType,
        [=, &geometry](KernelBuilder &b, const PointIndex &index, ValueRange) {
          auto [place, point] = locate(geometry, index, before, leading);
          return loadLanes(b, scratch, place, point.width);
        },
        /*copied=*/false);
  };
  return {part(states[0]), states.size() > 1 ? part(states[1]) : nullptr};
}

void addStateStore(PointProgram &program, const ScanGeometry &geometry, PointValue value, const StateScratch &states,
                   bool before, LeadingIndices leading) {
  PointNode *parts[] = {value.re, value.im};
  for (auto [part, scratch] : llvm::enumerate(states))
    program.addStore(
        parts[part], before ? geometry.stateBeforeSet() : geometry.stateSet,
        [=, &geometry, scratch = scratch](KernelBuilder &b, const PointIndex &index, ValueRange values) {
          storeLanes(b, values[0], scratch, locate(geometry, index, before, leading).first);
          return Value();
        },
        /*copied=*/false);
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

/// Runs over the parts of a block's states: body(place in the tensor, part, point).
static void forStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, ValueRange leading,
                      function_ref<void(ArrayRef<Value>, unsigned, const PointIndex &)> body) {
  bool strided = geometry.stateParts > 1 || geometry.state.empty() || geometry.state.back() != geometry.lane;
  forPoints(b, geometry, block, geometry.stateSet, makeIndex(geometry, block), strided, [&](const PointIndex &index) {
    for (unsigned part = 0; part < geometry.stateParts; ++part) {
      SmallVector<Value> place = concat(leading, stateIndices(geometry, index));
      if (geometry.stateParts > 1)
        place.push_back(b.index(part));
      body(place, part, index);
    }
  });
}

void loadStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, Value view, ValueRange leading,
                const StateScratch &scratch, ValueRange scratchLeading) {
  forStates(b, geometry, block, leading, [&](ArrayRef<Value> place, unsigned part, const PointIndex &index) {
    b.store(b.load(view, place), scratch[part],
            concat(scratchLeading, geometry.scratchIndices(geometry.stateSet, index)));
  });
  if (geometry.sharesLanes())
    b.barrier();
}

void storeStates(KernelBuilder &b, const ScanGeometry &geometry, const ScanBlock &block, Value view, ValueRange leading,
                 const StateScratch &scratch) {
  forStates(b, geometry, block, leading, [&](ArrayRef<Value> place, unsigned part, const PointIndex &index) {
    b.store(b.load(scratch[part], geometry.scratchIndices(geometry.stateSet, index)), view, place);
  });
}

} // namespace adjc::scan
