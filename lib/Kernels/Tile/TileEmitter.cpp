//===- TileEmitter.cpp - the (token, lane) and (token, inner) points of a tile ----------------------------------===//
#include "TileEmitter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

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

bool TileEmitter::isNeededAfter(const PointNode *node) const {
  return program.isUsedIn(node, TileStage::After) ||
         llvm::any_of(program.stores(), [&](const PointNode *store) { return store->operands.front() == node; });
}

void TileEmitter::makeShared() {
  auto typeOf = [&](const PointNode *node) -> Type { return node->type.isInteger(1) ? b.getI8Type() : node->type; };
  for (const PointNode *node : program.inStage(TileStage::Before))
    if (program.isUsedIn(node, TileStage::Sequential))
      shared[node] = b.workspace({tileTokens, layout.lanes()}, typeOf(node));
  for (const PointNode *node : program.inStage(TileStage::Row))
    if (program.isUsedIn(node, TileStage::Sequential))
      shared[node] = b.workspace({tileTokens, layout.innerSize}, typeOf(node));
  if (parkPoints)
    for (const PointNode *node : program.inStage(TileStage::Before))
      if (isNeededAfter(node))
        parked[node] = b.workspace({layout.pointsPerThread(), layout.threads()}, typeOf(node));
  innerSums = program.inStage(TileStage::InnerSum);
  laneSums = program.inStage(TileStage::LaneSum);
  groupTokens = std::min<int64_t>(layout.innerThreads, 4);
  if (!innerSums.empty())
    // Padded: the inner threads of a lane write different values of it at once.
    innerSumMemory =
        b.workspace({tileTokens / groupTokens, static_cast<int64_t>(innerSums.size()) * groupTokens * layout.laneShare,
                     layout.laneThreads + layout.laneThreadsPerWarp()},
                    b.getF32Type());
  if (!laneSums.empty())
    laneSumMemory = b.workspace(
        {tileTokens, layout.warps(), static_cast<int64_t>(laneSums.size()) * layout.innerShare, layout.innerThreads},
        b.getF32Type());
}

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

PointIndex TileEmitter::elementIndex(int64_t c, int64_t s, Value token) {
  PointIndex index = laneIndex(b.add(block.laneThread, b.index(c * layout.laneThreads)), token);
  if (layout.inner)
    index.dims[*layout.inner] = b.add(b.mul(block.innerThread, b.index(layout.innerShare)), b.index(s));
  return index;
}

Value TileEmitter::laneExists(int64_t c) {
  if (geometry.lanes % layout.lanes() == 0)
    return Value();
  Value lane = b.add(block.scan.firstLane, b.add(block.laneThread, b.index(c * layout.laneThreads)));
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

Value TileEmitter::isPlain(const Tile &tile, Value resets) {
  Value full = b.compare(arith::CmpIPredicate::eq, tile.count, b.index(tileTokens));
  if (!resets)
    return full;
  // Every thread looks at one token; the 16 of a half warp see all of them.
  Value slot = b.remainder(block.thread, b.index(tileTokens));
  Value flag = b.load(resets, {block.scan.batch, clampToken(tile, slot)});
  Value any = arith::ExtUIOp::create(b, b.getI32Type(), flag);
  for (int32_t distance = tileTokens / 2; distance >= 1; distance /= 2)
    any = arith::OrIOp::create(b, any,
                               gpu::ShuffleOp::create(b, any, distance, 32, gpu::ShuffleMode::XOR).getShuffleResult());
  return b.logicalAnd(full, b.compare(arith::CmpIPredicate::eq, any, b.constant(any.getType(), 0)));
}

void TileEmitter::emitHoisted(const TileBlock &newBlock) {
  block = newBlock;
  Value lane = b.remainder(block.thread, b.index(layout.lanes()));
  PointIndex point = laneIndex(lane, Value());
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
    if (program.hasInner(node))
      continue;
    auto operands =
        llvm::map_to_vector(node->operands, [&](const PointNode *operand) { return hoistedPoint[operand]; });
    hoistedPoint[node] = node->emit(b, point, operands);
  }
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

void TileEmitter::emitRows(const Tile &tile) {
  SmallVector<const PointNode *> rows = llvm::filter_to_vector(
      program.inStage(TileStage::Row), [&](const PointNode *node) { return shared.contains(node); });
  if (rows.empty())
    return;
  b.spread(b.index(0), b.index(tileTokens * layout.innerSize), [&](Value number) {
    Value slot = b.div(number, b.index(layout.innerSize)), inner = b.remainder(number, b.index(layout.innerSize));
    PointIndex index = makeIndex(geometry, block.scan);
    index.dims[tokenDim] = clampToken(tile, slot);
    index.dims[*layout.inner] = inner;
    PointValues cache;
    for (const PointNode *node : rows)
      b.store(toShared(evaluate(node, index, slot, cache)), shared[node], {slot, inner});
  });
}

void TileEmitter::emitBefore(const Tile &tile) {
  int64_t lanes = layout.lanes(), step = layout.threads() / lanes;
  Value lane = b.remainder(block.thread, b.index(lanes)), slot0 = b.div(block.thread, b.index(lanes));
  points.assign(layout.pointsPerThread(), {});
  // Reads first, of all points: they wait for memory together.
  for (auto [number, values] : llvm::enumerate(points)) {
    Value slot = b.add(slot0, b.index(static_cast<int64_t>(number) * step));
    PointIndex index = laneIndex(lane, clampToken(tile, slot));
    for (TileStage stage : {TileStage::Scalar, TileStage::Before})
      for (const PointNode *node : program.inStage(stage))
        if (node->kind == Kind::Leaf)
          values[node] = node->emit(b, index, {});
  }
  emitRows(tile);
  for (auto [number, values] : llvm::enumerate(points)) {
    Value slot = b.add(slot0, b.index(static_cast<int64_t>(number) * step));
    PointIndex index = laneIndex(lane, clampToken(tile, slot));
    for (TileStage stage : {TileStage::Scalar, TileStage::Before})
      for (const PointNode *node : program.inStage(stage)) {
        if (node->kind != Kind::Leaf) {
          auto operands = llvm::map_to_vector(node->operands, [&, &values = values](const PointNode *operand) {
            return program.stageOf(operand) == TileStage::Hoisted ? hoistedPoint[operand] : values[operand];
          });
          values[node] = node->emit(b, index, operands);
        }
        if (shared.contains(node))
          b.store(toShared(values[node]), shared[node], {slot, lane});
        if (parked.contains(node))
          b.store(toShared(values[node]), parked[node], {b.index(number), block.thread});
      }
  }
}

void TileEmitter::emitAfter(const Tile &tile) {
  int64_t lanes = layout.lanes(), step = layout.threads() / lanes;
  Value lane = b.remainder(block.thread, b.index(lanes)), slot0 = b.div(block.thread, b.index(lanes));
  for (auto [number, values] : llvm::enumerate(points)) {
    Value slot = b.add(slot0, b.index(static_cast<int64_t>(number) * step));
    PointIndex index = laneIndex(lane, clampToken(tile, slot));
    for (auto [sum, node] : llvm::enumerate(innerSums))
      values[node] = readInnerSum(sum, slot, lane);
    for (auto &[node, memory] : parked)
      values[node] = fromShared(b.load(memory, {b.index(number), block.thread}), node->type);
    auto valueOf = [&, &values = values](const PointNode *operand) {
      return program.stageOf(operand) == TileStage::Hoisted ? hoistedPoint[operand] : values[operand];
    };
    for (const PointNode *node : program.inStage(TileStage::After))
      values[node] = node->emit(b, index, llvm::map_to_vector(node->operands, valueOf));
    registers.element = number;
    registers.exists = b.compare(arith::CmpIPredicate::slt, slot, tile.count);
    if (geometry.lanes % lanes != 0)
      registers.exists =
          b.logicalAnd(registers.exists, b.compare(arith::CmpIPredicate::slt, b.add(block.scan.firstLane, lane),
                                                   b.index(geometry.lanes)));
    for (const PointNode *store : program.stores()) {
      TileStage stage = program.stageOf(store->operands.front());
      if (stage == TileStage::Before || stage == TileStage::After || stage == TileStage::InnerSum)
        store->emit(b, index, valueOf(store->operands.front()));
    }
    registers.exists = Value();
  }
  emitRowStores(tile);
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
