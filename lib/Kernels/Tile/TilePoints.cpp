//===- TilePoints.cpp - the (token, lane) points of a tile ------------------------------------------------------===//
#include "../ScanOperands.h"
#include "TileEmitter.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adjc::scan {

using Kind = PointNode::Kind;

//===----------------------------------------------------------------------------------------------------------------===//
// What waits for the part after the sequential one
//===----------------------------------------------------------------------------------------------------------------===//

/// Whether it is arithmetic that costs less than to put a value aside: an operation or two, a reciprocal among them.
bool TileEmitter::isCheap(const PointNode *node) {
  return node->kind == Kind::Value && node->op && isa<arith::ArithDialect>(node->op->getDialect());
}

/// The only (token, lane) point that cheap arithmetic makes the node from; the node itself where there is none.
const PointNode *TileEmitter::rootOf(const PointNode *node) const {
  if (!isCheap(node))
    return node;
  const PointNode *root = nullptr;
  for (const PointNode *operand : node->operands) {
    if (program.stageOf(operand) == TileStage::Hoisted)
      continue;
    if (program.stageOf(operand) != TileStage::Before)
      return node;
    const PointNode *other = rootOf(operand);
    if (root && root != other)
      return node;
    root = other;
  }
  return root ? root : node;
}

void TileEmitter::chooseParked() {
  llvm::DenseSet<const PointNode *> again, aside;
  llvm::SetVector<const PointNode *> operands;
  std::function<void(const PointNode *)> need = [&](const PointNode *node) {
    if (program.stageOf(node) != TileStage::Before)
      return;
    if (rootOf(node) == node) {
      // What the sequential part reads is there already.
      if (shared.contains(node))
        return;
      if (node->kind == Kind::Leaf && node->tensor && node->map)
        operands.insert(node);
      else
        aside.insert(node);
      return;
    }
    again.insert(node);
    llvm::for_each(node->operands, need);
  };
  for (const PointNode *node : program.inStage(TileStage::After))
    llvm::for_each(node->operands, need);
  for (const PointNode *node : program.inStage(TileStage::Before)) {
    auto isThere = [&](const PointNode *operand) {
      return program.stageOf(operand) == TileStage::Hoisted || shared.contains(operand) || operands.contains(operand) ||
             aside.contains(operand) || again.contains(operand);
    };
    // What follows from several values that are there anyway need not be put aside beside them.
    if (aside.contains(node) && isCheap(node) && llvm::all_of(node->operands, isThere)) {
      aside.erase(node);
      again.insert(node);
    }
    if (again.contains(node))
      remade.push_back(node);
    if (aside.contains(node))
      parked.insert(
          {node, ThreadMemory(b, layout.pointGroups(), layout.threads(), countOf(node), sharedType(node->type))});
  }
  for (const PointNode *node : operands)
    parkedOperands.insert({node, ThreadMemory(b, layout.pointGroups(), layout.threads(), countOf(node),
                                              getElementTypeOrSelf(node->tensor.getType()))});
}

//===----------------------------------------------------------------------------------------------------------------===//
// Groups of points
//===----------------------------------------------------------------------------------------------------------------===//

/// Whether a leaf's or a store's lanes are read or written at once: they are consecutive, exist, and are aligned.
bool TileEmitter::isVector(const PointNode *node) const {
  int64_t lanes = layout.pointLanes();
  if (!node->tensor || !node->map || node->map.getNumResults() == 0 || lanes == 1 ||
      geometry.lanes % layout.lanes() != 0 || node->map.getDimPosition(node->map.getNumResults() - 1) != geometry.lane)
    return false;
  return getAccessWidth(geometry.lanes, context.operand(node->tensor)) % lanes == 0;
}

TileEmitter::PointGroup TileEmitter::makeGroup(const Tile &tile, int64_t number) {
  PointGroup group;
  group.slot = b.add(b.div(block.thread, b.index(layout.laneGroups())), b.index(number * layout.pointStep()));
  Value token = clampToken(tile, group.slot);
  Value first = b.mul(b.remainder(block.thread, b.index(layout.laneGroups())), b.index(layout.pointLanes()));
  for (int64_t i = 0; i < layout.pointLanes(); ++i)
    group.index.push_back(laneIndex(b.add(first, b.index(i)), token));
  return group;
}

void TileEmitter::forLeaves(function_ref<void(const PointNode *, int64_t)> body) {
  for (TileStage stage : {TileStage::Scalar, TileStage::Before})
    for (const PointNode *node : program.inStage(stage)) {
      bool used = stage == TileStage::Before;
      for (TileStage user : {TileStage::Scalar, TileStage::Before, TileStage::After})
        used |= program.isUsedIn(node, user);
      if (node->kind == Kind::Leaf && used)
        body(node, countOf(node));
    }
}

int64_t TileEmitter::operandRegisters() {
  int64_t bytes = 0;
  forLeaves([&](const PointNode *node, int64_t count) {
    if (node->tensor && node->map)
      bytes += count * llvm::divideCeil(getElementTypeOrSelf(node->tensor.getType()).getIntOrFloatBitWidth(), 8);
  });
  return layout.pointGroups() * llvm::divideCeil(bytes, 4);
}

/// A leaf's value as it is stored: its conversion to f32 would wait for it.
Value TileEmitter::readRaw(const PointNode *node, const PointIndex &index) {
  if (!node->tensor || !node->map)
    return node->emit(b, index, {});
  auto indices = mapIndices(node->map, index);
  Value view = views.lookup(node);
  if (!vectors.contains(node))
    return memref::LoadOp::create(b, view, indices);
  auto type = VectorType::get({layout.pointLanes()}, cast<MemRefType>(view.getType()).getElementType());
  return vector::LoadOp::create(b, type, view, indices, /*nontemporal=*/false,
                                llvm::MaybeAlign(type.getNumElements() * type.getElementTypeBitWidth() / 8));
}

SmallVector<Value> TileEmitter::unpack(const PointNode *node, ValueRange raw) {
  SmallVector<Value> values = llvm::map_to_vector(raw, [&](Value value) { return b.extended(value); });
  if (!vectors.contains(node))
    return values;
  Value vector = values.pop_back_val();
  for (int64_t i = 0; i < layout.pointLanes(); ++i)
    values.push_back(vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{i}));
  return values;
}

SmallVector<Value> TileEmitter::readTile(const Tile &tile) {
  SmallVector<Value> read;
  for (int64_t number = 0; number < layout.pointGroups(); ++number) {
    PointGroup group = makeGroup(tile, number);
    forLeaves([&](const PointNode *node, int64_t count) {
      for (int64_t i = 0; i < (vectors.contains(node) ? 1 : count); ++i)
        read.push_back(readRaw(node, group.index[i]));
    });
  }
  SmallVector<Value> slots;
  for (const PointIndex &index : rowPoints(tile, slots))
    for (const PointNode *node : rowLeaves())
      read.push_back(readRaw(node, index));
  if (resets) {
    Value slot = b.remainder(block.thread, b.index(tileTokens));
    read.push_back(b.load(resets, {block.scan.batch, clampToken(tile, slot)}));
  }
  return read;
}

void TileEmitter::computePoint(const PointNode *node, PointGroup &group) {
  auto valueOf = [&](const PointNode *operand, int64_t i) {
    auto own = group.values.find(operand);
    ArrayRef<Value> values = own != group.values.end() ? own->second : hoistedPoints[operand];
    return values[values.size() == 1 ? 0 : i];
  };
  SmallVector<Value> values;
  for (int64_t i = 0; i < countOf(node); ++i)
    values.push_back(node->emit(b, group.index[i], llvm::map_to_vector(node->operands, [&](const PointNode *operand) {
                                  return valueOf(operand, i);
                                })));
  group.values[node] = values;
}

void TileEmitter::storePoints(const Tile &tile, PointGroup &group, ArrayRef<TileStage> stages) {
  Value isToken = b.compare(arith::CmpIPredicate::slt, group.slot, tile.count);
  for (const PointNode *store : program.stores()) {
    const PointNode *operand = store->operands.front();
    if (!llvm::is_contained(stages, program.stageOf(operand)))
      continue;
    ArrayRef<Value> values = group.values[operand];
    registers.exists = isToken;
    if (isVector(store)) {
      auto type = VectorType::get({layout.pointLanes()}, values.front().getType());
      store->emit(b, group.index.front(), Value(vector::FromElementsOp::create(b, type, values)));
      continue;
    }
    for (auto [i, value] : llvm::enumerate(values)) {
      registers.element = i;
      if (geometry.lanes % layout.lanes() != 0) {
        Value lane = b.add(block.scan.firstLane, group.index[i].lane);
        registers.exists = b.logicalAnd(isToken, b.compare(arith::CmpIPredicate::slt, lane, b.index(geometry.lanes)));
      }
      store->emit(b, group.index[i], value);
    }
  }
  registers.exists = Value();
}

//===----------------------------------------------------------------------------------------------------------------===//
// Before and after the sequential part
//===----------------------------------------------------------------------------------------------------------------===//

void TileEmitter::emitBefore(const Tile &tile, ValueRange read) {
  points.clear();
  for (int64_t number = 0; number < layout.pointGroups(); ++number) {
    PointGroup &group = points.emplace_back(makeGroup(tile, number));
    forLeaves([&](const PointNode *node, int64_t count) {
      int64_t reads = vectors.contains(node) ? 1 : count;
      ValueRange raw = read.take_front(reads);
      group.values[node] = unpack(node, raw);
      if (auto memory = parkedOperands.find(node); memory != parkedOperands.end()) {
        if (vectors.contains(node))
          memory->second.writeVectors(b.index(number), block.thread, raw);
        else
          memory->second.write(b.index(number), block.thread, raw);
      }
      read = read.drop_front(reads);
    });
  }
  flag = resets ? read.back() : Value();
  emitRows(tile, read);
  for (auto [number, group] : llvm::enumerate(points)) {
    for (TileStage stage : {TileStage::Scalar, TileStage::Before})
      for (const PointNode *node : program.inStage(stage)) {
        if (node->kind != Kind::Leaf)
          computePoint(node, group);
        if (shared.contains(node))
          sharePoints(node, group);
        if (auto memory = parked.find(node); memory != parked.end())
          memory->second.write(b.index(number), block.thread,
                               llvm::map_to_vector(group.values[node], [&](Value value) { return toShared(value); }));
      }
    storePoints(tile, group, TileStage::Before);
  }
}

void TileEmitter::emitAfter(const Tile &tile) {
  for (auto [number, before] : llvm::enumerate(points)) {
    // Values of before the sequential part are not kept in registers, which that part needs.
    PointGroup group = makeGroup(tile, number);
    if (!parkPoints)
      group.values = before.values;
    Value lane = group.index.front().lane;
    for (auto [sum, node] : llvm::enumerate(innerSums))
      group.values[node] = readInnerSums(sum, group.slot, lane);
    Value slot = b.index(number);
    for (auto &[node, memory] : parkedOperands)
      group.values[node] = unpack(node, vectors.contains(node) ? memory.readVectors(slot, block.thread)
                                                               : memory.read(slot, block.thread));
    for (auto &[node, memory] : parked)
      group.values[node] = llvm::map_to_vector(memory.read(slot, block.thread),
                                               [&](Value value) { return fromShared(value, node->type); });
    if (parkPoints) {
      for (const PointNode *node : program.inStage(TileStage::Before))
        if (shared.contains(node))
          group.values[node] =
              readShared(shared[node], {group.slot, b.index(0), lane}, layout.pointLanes(), node->type);
      for (const PointNode *node : program.inStage(TileStage::Scalar))
        if (program.isUsedIn(node, TileStage::After))
          group.values[node] = before.values[node];
    }
    for (const PointNode *node : remade)
      computePoint(node, group);
    for (const PointNode *node : program.inStage(TileStage::After))
      computePoint(node, group);
    storePoints(tile, group, {TileStage::After, TileStage::InnerSum});
  }
  emitRowStores(tile);
}

//===----------------------------------------------------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------------------------------------------------===//

void TileEmitter::sharePoints(const PointNode *node, const PointGroup &group) {
  SmallVector<Value> values = group.values.lookup(node);
  Value lane = group.index.front().lane;
  writeShared(values, shared[node], {group.slot, b.index(0), lane});
  if (!lanesTwist)
    return;
  Value copy = b.index(1);
  if (values.size() % 2 != 0) { // one point; its neighbour is another thread's
    writeShared(values, shared[node], {group.slot, copy, laneInCopy(arith::XOrIOp::create(b, lane, copy), copy)});
    return;
  }
  for (size_t i = 0; i < values.size(); i += 2)
    std::swap(values[i], values[i + 1]);
  writeShared(values, shared[node], {group.slot, copy, laneInCopy(lane, copy)});
}

/// f32 values that go at once: as many as a multiple of which there are, up to 16 bytes.
static int64_t atOnce(int64_t count, Type type) { return type.isF32() ? std::gcd(count, int64_t(4)) : 1; }

void TileEmitter::writeShared(ArrayRef<Value> values, Value memory, ArrayRef<Value> place) {
  SmallVector<Value> indices(place);
  int64_t width = atOnce(values.size(), values.front().getType());
  for (size_t i = 0; i < values.size(); i += width) {
    indices.back() = b.add(place.back(), b.index(i));
    if (width == 1) {
      b.store(toShared(values[i]), memory, indices);
      continue;
    }
    auto vector = vector::FromElementsOp::create(b, VectorType::get({width}, b.getF32Type()), values.slice(i, width));
    vector::StoreOp::create(b, vector, memory, indices, /*nontemporal=*/false, llvm::MaybeAlign(4 * width));
  }
}

SmallVector<Value> TileEmitter::readShared(Value memory, ArrayRef<Value> place, int64_t count, Type type) {
  SmallVector<Value> indices(place), values;
  int64_t width = atOnce(count, type);
  for (int64_t i = 0; i < count; i += width) {
    indices.back() = b.add(place.back(), b.index(i));
    if (width == 1) {
      values.push_back(fromShared(b.load(memory, indices), type));
      continue;
    }
    Value vector = vector::LoadOp::create(b, VectorType::get({width}, type), memory, indices, /*nontemporal=*/false,
                                          llvm::MaybeAlign(4 * width));
    for (int64_t lane = 0; lane < width; ++lane)
      values.push_back(vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{lane}));
  }
  return values;
}

} // namespace adjc::scan
