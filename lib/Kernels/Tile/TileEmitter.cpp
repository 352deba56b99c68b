//===- TileEmitter.cpp - what a tile shares, and its (token, inner) points ---------------------------------------===//
#include "TileEmitter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adjc::scan {

using Kind = PointNode::Kind;
using PointValues = llvm::DenseMap<const PointNode *, Value>;

TileEmitter::TileEmitter(KernelContext &context, const ScanGeometry &geometry, const TileLayout &layout,
                         const TileProgram &program, TileRegisters &registers, const PointNode *resetFlag,
                         bool parkPoints)
    : context(context), b(context.b), geometry(geometry), layout(layout), program(program), registers(registers),
      resetFlag(resetFlag), parkPoints(parkPoints) {
  makeShared();
}

void TileEmitter::makeShared() {
  innerSums = program.inStage(TileStage::InnerSum);
  laneSums = program.inStage(TileStage::LaneSum);
  twists = !laneSums.empty() && layout.innerShare > 1 && llvm::isPowerOf2_64(layout.innerShare) &&
           layout.laneThreadsPerWarp() >= layout.innerShare;
  lanesTwist = !innerSums.empty() && layout.laneShare == 2;
  int64_t copies = twists ? layout.innerShare : 1;
  for (const PointNode *node : program.inStage(TileStage::Before))
    if (program.isUsedIn(node, TileStage::Sequential))
      shared[node] = b.workspace({tileTokens, laneCopies(), layout.lanes()}, sharedType(node->type));
  for (const PointNode *node : program.inStage(TileStage::Row))
    if (program.isUsedIn(node, TileStage::Sequential))
      shared[node] = b.workspace({tileTokens, copies, layout.innerSize}, sharedType(node->type));
  if (parkPoints)
    chooseParked();
  for (TileStage stage : {TileStage::Scalar, TileStage::Row, TileStage::Before})
    for (const PointNode *node : program.inStage(stage))
      if (node->kind == Kind::Leaf && node->tensor && node->map) {
        views[node] = context.fullView(node->tensor);
        if (stage == TileStage::Before && isVector(node))
          vectors.insert(node);
      }
  if (resetFlag)
    resets = context.fullView(resetFlag->tensor);
  groupTokens = std::min<int64_t>(layout.innerThreads, 4);
  if (!innerSums.empty())
    // Padded: the inner threads of a lane write different values of it at once.
    innerSumMemory = b.workspace({tileTokens / groupTokens, static_cast<int64_t>(innerSums.size()) * groupTokens,
                                  layout.lanes() + layout.laneThreadsPerWarp()},
                                 b.getF32Type());
  if (!laneSums.empty())
    laneSumMemory = b.workspace(
        {tileTokens, layout.warps(), static_cast<int64_t>(laneSums.size()) * layout.innerShare, layout.innerThreads},
        b.getF32Type());
}

Type TileEmitter::sharedType(Type type) const { return type.isInteger(1) ? b.getI8Type() : type; }

Value TileEmitter::toShared(Value value) {
  return value.getType().isInteger(1) ? Value(arith::ExtUIOp::create(b, b.getI8Type(), value)) : value;
}

Value TileEmitter::fromShared(Value value, Type type) {
  return type.isInteger(1) ? Value(arith::TruncIOp::create(b, type, value)) : value;
}

PointIndex TileEmitter::laneIndex(Value lane, Value token) {
  PointIndex index = makeIndex(geometry, block.scan);
  index.lane = lane;
  // Lanes that do not exist compute what the last one does.
  Value number = b.add(block.scan.firstLane, lane);
  index.dims[geometry.lane] =
      geometry.lanes % layout.lanes() == 0 ? number : b.min(number, b.index(geometry.lanes - 1));
  index.dims[tokenDim] = token;
  return index;
}

Value TileEmitter::elementLane(int64_t c) {
  Value own = laneTwist ? Value(arith::XOrIOp::create(b, b.index(c), laneTwist)) : b.index(c);
  return b.add(b.mul(block.laneThread, b.index(layout.laneShare)), own);
}

Value TileEmitter::laneInCopy(Value lane, Value copy) {
  constexpr int64_t apart = warpThreads / 2;
  if (layout.lanes() % (2 * apart) != 0)
    return lane;
  return arith::XOrIOp::create(b, lane, b.mul(copy, b.index(apart)));
}

Value TileEmitter::twisted(Value s) { return twist ? Value(arith::XOrIOp::create(b, s, twist)) : s; }

SmallVector<Value> TileEmitter::twisted(ArrayRef<Value> values) {
  SmallVector<Value> now(values);
  for (size_t bit = 1; twist && bit < values.size(); bit *= 2) {
    Value swaps = b.compare(arith::CmpIPredicate::ne, b.remainder(b.div(twist, b.index(bit)), b.index(2)), b.index(0));
    SmallVector<Value> old(now);
    for (size_t s = 0; s < values.size(); ++s)
      now[s] = b.select(swaps, old[s ^ bit], old[s]);
  }
  return now;
}

PointIndex TileEmitter::elementIndex(int64_t c, int64_t s, Value token) {
  PointIndex index = laneIndex(elementLane(c), token);
  if (layout.inner)
    index.dims[*layout.inner] = b.add(b.mul(block.innerThread, b.index(layout.innerShare)), twisted(b.index(s)));
  return index;
}

Value TileEmitter::laneExists(int64_t c) {
  if (geometry.lanes % layout.lanes() == 0)
    return Value();
  Value lane = b.add(block.scan.firstLane, elementLane(c));
  return b.compare(arith::CmpIPredicate::slt, lane, b.index(geometry.lanes));
}

Value TileEmitter::clampToken(const Tile &tile, Value slot) {
  return b.add(tile.first, b.min(slot, b.sub(tile.count, b.index(1))));
}

Value TileEmitter::numberOf(const TileSlot &slot) {
  return b.add(b.mul(slot.quarter, b.index(quarterTokens)), b.index(slot.offset));
}

Value TileEmitter::isToken(const Tile &tile, const TileSlot &slot) {
  return b.compare(arith::CmpIPredicate::slt, numberOf(slot), tile.count);
}

Value TileEmitter::isPlain(const Tile &tile) {
  Value full = b.compare(arith::CmpIPredicate::eq, tile.count, b.index(tileTokens));
  if (!flag)
    return full;
  // Every thread looks at one token; a warp sees all of them, and knows that all its threads find the same.
  Value any = gpu::SubgroupReduceOp::create(b, arith::ExtUIOp::create(b, b.getI32Type(), flag),
                                            gpu::AllReduceOperation::OR, /*uniform=*/true);
  return b.logicalAnd(full, b.compare(arith::CmpIPredicate::eq, any, b.constant(any.getType(), 0)));
}

void TileEmitter::emitHoisted(const TileBlock &newBlock) {
  block = newBlock;
  if (twists)
    twist = b.div(b.remainder(block.laneThread, b.index(layout.laneThreadsPerWarp())),
                  b.index(layout.laneThreadsPerWarp() / layout.innerShare));
  if (lanesTwist)
    laneTwist = b.div(block.innerThread, b.index(layout.innerThreads / 2));
  PointGroup group = makeGroup({b.index(0), b.index(tileTokens)}, 0);
  for (PointIndex &index : group.index)
    index.dims[tokenDim] = Value();
  for (const PointNode *node : program.inStage(TileStage::Hoisted)) {
    SmallVector<Value> values;
    for (int64_t c = 0; c < (program.hasLane(node) ? layout.laneShare : 1); ++c)
      for (int64_t s = 0; s < (program.hasInner(node) ? layout.innerShare : 1); ++s) {
        SmallVector<Value> operands;
        for (const PointNode *operand : node->operands)
          operands.push_back(pick(hoisted[operand], operand, c, s));
        values.push_back(node->emit(b, elementIndex(c, s, Value()), operands));
      }
    hoisted[node] = values;
    if (!program.hasInner(node))
      computePoint(node, group);
  }
  hoistedPoints = std::move(group.values);
}

Value TileEmitter::evaluate(const PointNode *node, const PointIndex &index, Value slot, PointValues &cache) {
  if (Value known = cache.lookup(node))
    return known;
  if (program.stageOf(node) == TileStage::LaneSum) {
    unsigned number = std::distance(laneSums.begin(), llvm::find(laneSums, node));
    Value inner = layout.inner ? index.dims[*layout.inner] : b.index(0);
    return cache[node] = readLaneSum(number, slot, inner);
  }
  SmallVector<Value> operands;
  for (const PointNode *operand : node->operands)
    operands.push_back(evaluate(operand, index, slot, cache));
  return cache[node] = node->emit(b, index, operands);
}

/// Points of rows that a thread reads ahead.
constexpr int64_t mostRowPoints = 4;

SmallVector<PointIndex> TileEmitter::rowPoints(const Tile &tile, SmallVectorImpl<Value> &slots) {
  SmallVector<PointIndex> points;
  int64_t all = tileTokens * layout.innerSize, own = all / layout.threads();
  if (!layout.inner || all % layout.threads() != 0 || own > mostRowPoints)
    return points;
  for (int64_t i = 0; i < own; ++i) {
    Value number = b.add(block.thread, b.index(i * layout.threads()));
    slots.push_back(b.div(number, b.index(layout.innerSize)));
    PointIndex &index = points.emplace_back(makeIndex(geometry, block.scan));
    index.dims[tokenDim] = clampToken(tile, slots.back());
    index.dims[*layout.inner] = b.remainder(number, b.index(layout.innerSize));
  }
  return points;
}

SmallVector<const PointNode *> TileEmitter::rowLeaves() {
  return llvm::filter_to_vector(program.inStage(TileStage::Row), [&](const PointNode *node) {
    return node->kind == Kind::Leaf && (shared.contains(node) || program.isUsedIn(node, TileStage::Row));
  });
}

void TileEmitter::emitRow(const PointIndex &index, Value slot, PointValues &cache) {
  for (const PointNode *node : program.inStage(TileStage::Row))
    if (shared.contains(node)) {
      Value value = toShared(evaluate(node, index, slot, cache)), inner = index.dims[*layout.inner];
      for (int64_t copy = 0; copy < (twists ? layout.innerShare : 1); ++copy)
        b.store(value, shared[node], {slot, b.index(copy), arith::XOrIOp::create(b, inner, b.index(copy))});
    }
}

void TileEmitter::emitRows(const Tile &tile, ValueRange read) {
  if (llvm::none_of(program.inStage(TileStage::Row), [&](const PointNode *node) { return shared.contains(node); }))
    return;
  SmallVector<Value> slots;
  SmallVector<PointIndex> points = rowPoints(tile, slots);
  for (auto [slot, index] : llvm::zip_equal(slots, points)) {
    PointValues cache;
    for (const PointNode *node : rowLeaves()) {
      cache[node] = b.extended(read.front());
      read = read.drop_front();
    }
    emitRow(index, slot, cache);
  }
  if (!points.empty())
    return;
  b.spread(b.index(0), b.index(tileTokens * layout.innerSize), [&](Value number) {
    Value slot = b.div(number, b.index(layout.innerSize));
    PointIndex index = makeIndex(geometry, block.scan);
    index.dims[tokenDim] = clampToken(tile, slot);
    index.dims[*layout.inner] = b.remainder(number, b.index(layout.innerSize));
    PointValues cache;
    emitRow(index, slot, cache);
  });
}

void TileEmitter::emitRowStores(const Tile &tile) {
  SmallVector<const PointNode *> stores;
  for (const PointNode *store : program.stores()) {
    TileStage stage = program.stageOf(store->operands.front());
    if (stage == TileStage::LaneSum || stage == TileStage::RowAfter)
      stores.push_back(store);
  }
  if (stores.empty())
    return;
  b.spread(b.index(0), b.mul(tile.count, b.index(layout.innerSize)), [&](Value number) {
    Value slot = b.div(number, b.index(layout.innerSize));
    PointIndex index = makeIndex(geometry, block.scan);
    index.dims[tokenDim] = b.add(tile.first, slot);
    if (layout.inner)
      index.dims[*layout.inner] = b.remainder(number, b.index(layout.innerSize));
    PointValues cache;
    for (const PointNode *store : stores)
      store->emit(b, index, evaluate(store->operands.front(), index, slot, cache));
  });
}

} // namespace adjc::scan
