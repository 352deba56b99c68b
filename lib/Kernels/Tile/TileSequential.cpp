//===- TileSequential.cpp - the part of a tile that goes token by token -----------------------------------------===//
#include "TileEmitter.h"
#include "WarpTranspose.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace adjc::scan {

using Kind = PointNode::Kind;

Value TileEmitter::pick(ArrayRef<Value> values, const PointNode *node, int64_t c, int64_t s) const {
  int64_t lane = program.hasLane(node) ? c : 0;
  return values[program.hasInner(node) ? lane * layout.innerShare + s : lane];
}

SmallVector<Value> TileEmitter::readSequential(const PointNode *node, const Tile &tile, const TileSlot &slot) {
  Value place = numberOf(slot);
  switch (program.stageOf(node)) {
  case TileStage::Hoisted:
    return hoisted[node];
  case TileStage::Before: {
    Value first = b.mul(block.laneThread, b.index(layout.laneShare)), copy = laneTwist ? laneTwist : b.index(0);
    return readShared(shared[node], {place, copy, laneInCopy(first, copy)}, layout.laneShare, node->type);
  }
  case TileStage::Row: {
    Value first = b.mul(block.innerThread, b.index(layout.innerShare));
    return readShared(shared[node], {place, twist ? twist : b.index(0), first}, layout.innerShare, node->type);
  }
  default: { // what varies with the token alone
    if (node == resetFlag && tile.plain)
      return {arith::ConstantOp::create(b, b.getBoolAttr(false))};
    PointIndex index = makeIndex(geometry, block.scan);
    index.dims[tokenDim] = clampToken(tile, place);
    llvm::DenseMap<const PointNode *, Value> cache;
    return {evaluate(node, index, place, cache)};
  }
  }
}

TileValues TileEmitter::emitToken(const Tile &tile, const TileSlot &slot,
                                  const llvm::DenseSet<const PointNode *> &needed, const TileValues &known) {
  TileValues values = known;
  Value token = tile.plain ? b.add(tile.first, numberOf(slot)) : clampToken(tile, numberOf(slot));
  auto read = [&](const PointNode *node) -> ArrayRef<Value> {
    auto found = values.find(node);
    if (found == values.end())
      found = values.try_emplace(node, readSequential(node, tile, slot)).first;
    return found->second;
  };
  for (const PointNode *node : program.inStage(TileStage::Sequential)) {
    if (!needed.contains(node) || values.contains(node))
      continue;
    SmallVector<SmallVector<Value>> operands;
    for (const PointNode *operand : node->operands)
      operands.emplace_back(read(operand));
    SmallVector<Value> results;
    for (int64_t c = 0; c < (program.hasLane(node) ? layout.laneShare : 1); ++c)
      for (int64_t s = 0; s < (program.hasInner(node) ? layout.innerShare : 1); ++s) {
        registers.element = c * layout.innerShare + s;
        SmallVector<Value> arguments;
        for (auto [operand, elements] : llvm::zip_equal(node->operands, operands))
          arguments.push_back(pick(elements, operand, c, s));
        results.push_back(node->emit(b, elementIndex(c, s, token), arguments));
      }
    values[node] = results;
  }
  for (const PointNode *node : llvm::concat<const PointNode *const>(innerSums, laneSums))
    if (needed.contains(node))
      keepSum(node, slot, values[node->operands.front()]);
  for (const PointNode *store : program.stores()) {
    const PointNode *operand = store->operands.front();
    if (!needed.contains(store) || program.stageOf(operand) != TileStage::Sequential)
      continue;
    for (int64_t c = 0; c < layout.laneShare; ++c)
      for (int64_t s = 0; s < layout.innerShare; ++s) {
        registers.element = c * layout.innerShare + s;
        registers.exists = laneExists(c);
        if (!tile.plain) {
          Value valid = isToken(tile, slot);
          registers.exists = registers.exists ? b.logicalAnd(registers.exists, valid) : valid;
        }
        store->emit(b, elementIndex(c, s, token), pick(values[operand], operand, c, s));
      }
    registers.exists = Value();
  }
  return values;
}

//===----------------------------------------------------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------------------------------------------------===//

void TileEmitter::keepSum(const PointNode *sum, const TileSlot &slot, ArrayRef<Value> operand) {
  const PointNode *term = sum->operands.front();
  bool inner = program.stageOf(sum) == TileStage::InnerSum;
  PendingSum pending;
  pending.slot = slot;
  auto &list = inner ? innerSums : laneSums;
  pending.number = std::distance(list.begin(), llvm::find(list, sum));
  int64_t kept = inner ? layout.laneShare : layout.innerShare, summed = inner ? layout.innerShare : layout.laneShare;
  for (int64_t i = 0; i < kept; ++i) {
    Value total;
    for (int64_t j = 0; j < summed; ++j) {
      int64_t c = inner ? i : j, s = inner ? j : i;
      Value value = pick(operand, term, c, s);
      if (Value exists = inner ? Value() : laneExists(c))
        value = b.select(exists, value, b.f32(0));
      total = total ? b.add(total, value) : value;
    }
    pending.values.push_back(total);
  }
  (inner ? pendingInner : pendingLane).push_back(pending);
}

void TileEmitter::finishGroup() {
  for (const std::function<void()> &write : pendingWrites)
    write();
  pendingWrites.clear();
  // Inner sums, of all tokens of the group at once: value (lane share, sum, token).
  if (!pendingInner.empty()) {
    TileSlot first = pendingInner.front().slot;
    first.offset = first.offset / groupTokens * groupTokens;
    Value group = b.div(numberOf(first), b.index(groupTokens));
    int64_t rows = static_cast<int64_t>(innerSums.size()) * groupTokens;
    SmallVector<Value> values(layout.laneShare * rows);
    for (const PendingSum &sum : pendingInner)
      for (auto [c, value] : llvm::enumerate(sum.values))
        values[c * rows + sum.number * groupTokens + (sum.slot.offset - first.offset)] = value;
    TransposedSums sums = sumTransposed(b, values, block.thread, layout.innerThreads, 1, lanesTwist ? 1 : 0);
    // The first half of the threads keeps one lane, the second half the other.
    Value row = sums.first, lane = b.mul(block.laneThread, b.index(layout.laneShare));
    if (lanesTwist) {
      row = b.sub(row, b.mul(laneTwist, b.index(rows)));
      lane = b.add(lane, laneTwist);
    }
    auto write = [&] {
      for (auto [i, value] : llvm::enumerate(sums.values))
        b.store(value, innerSumMemory, {group, b.add(row, b.index(i)), lane});
    };
    if (sums.writes)
      b.ifThen(sums.writes, write);
    else
      write();
    pendingInner.clear();
  }
}

void TileEmitter::finishToken() {
  if (pendingLane.empty())
    return;
  // Value (inner share, sum).
  SmallVector<Value> values(laneSums.size() * layout.innerShare);
  for (const PendingSum &sum : pendingLane)
    for (auto [s, value] : llvm::enumerate(sum.values))
      values[s * laneSums.size() + sum.number] = value;
  TransposedSums sums = sumTransposed(b, values, block.thread, layout.laneThreadsPerWarp(), layout.innerThreads,
                                      twist ? llvm::Log2_64(layout.innerShare) : 0);
  pendingWrites.push_back([this, sums, slot = pendingLane.front().slot] {
    Value warp = b.div(block.thread, b.index(warpThreads));
    auto write = [&] {
      for (auto [i, value] : llvm::enumerate(sums.values))
        b.store(value, laneSumMemory, {numberOf(slot), warp, b.add(sums.first, b.index(i)), block.innerThread});
    };
    if (sums.writes)
      b.ifThen(sums.writes, write);
    else
      write();
  });
  pendingLane.clear();
}

SmallVector<Value> TileEmitter::readInnerSums(unsigned number, Value slot, Value lane) {
  Value group = b.div(slot, b.index(groupTokens)), member = b.remainder(slot, b.index(groupTokens));
  Value row = b.add(b.index(number * groupTokens), member);
  return readShared(innerSumMemory, {group, row, lane}, layout.pointLanes(), b.getF32Type());
}

Value TileEmitter::readLaneSum(unsigned number, Value slot, Value inner) {
  Value thread = b.div(inner, b.index(layout.innerShare)), share = b.remainder(inner, b.index(layout.innerShare));
  Value value = b.add(b.mul(share, b.index(laneSums.size())), b.index(number));
  Value total;
  for (int64_t warp = 0; warp < layout.warps(); ++warp) {
    Value part = b.load(laneSumMemory, {slot, b.index(warp), value, thread});
    total = total ? b.add(total, part) : part;
  }
  return total;
}

} // namespace adjc::scan
