//===- PointEmitter.cpp - writes a staged point program as loops ------------------------------------------------===//
#include "PointEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace adjc::scan {

using Kind = PointNode::Kind;

PointEmitter::PointEmitter(KernelBuilder &b, PointProgram &program, const ScanGeometry &geometry, ScanScratch &scratch)
    : b(b), program(program), geometry(geometry), scratch(scratch) {
  program.stage();
  makeScratch();
}

void PointEmitter::makeScratch() {
  for (const PointNest &nest : program.getNests())
    for (const PointNode *node : nest.nodes) {
      if (node->kind == Kind::Sum) {
        if (program.isLaneSum(node) && !program.isUsedElsewhere(node))
          continue;
        buffers[node] = scratch.make(node->dims, node->type);
      } else if (node->kind == Kind::Store) {
        if (!node->copied)
          continue;
        rowOnly.insert(node);
        buffers[node] = scratch.makeRow(node->operands.front()->type);
      } else {
        bool shared = program.isUsedElsewhere(node) && (nest.loops != 0 || program.hasLane(node));
        if (!shared && !node->copied)
          continue;
        if (!shared)
          rowOnly.insert(node);
        buffers[node] = shared ? scratch.make(node->dims, node->type) : scratch.makeRow(node->type);
        // Lanes that do not exist are computed with, though nothing uses them: let them be harmless numbers.
        if (node->copied && geometry.hasPartialVectors())
          scratch.fillZero(buffers[node]);
      }
    }
}

Value PointEmitter::loadScratch(const PointNode *node, const PointIndex &index) {
  SmallVector<Value> place = rowOnly.contains(node) ? SmallVector<Value>{geometry.lanePlace(index)}
                                                    : geometry.scratchIndices(node->dims, index);
  bool vector = rowOnly.contains(node) || contains(node->dims, geometry.lane);
  return loadLanes(b, buffers[node], place, vector ? index.width : 1);
}

void PointEmitter::storeScratch(const PointNode *node, const PointIndex &index, Value value) {
  storeLanes(b, value, buffers[node],
             rowOnly.contains(node) ? SmallVector<Value>{geometry.lanePlace(index)}
                                    : geometry.scratchIndices(node->dims, index));
}

void PointEmitter::emitNests(bool perToken, const ScanBlock &block, const PointIndex &index) {
  for (const PointNest &nest : program.getNests())
    if (nest.perToken == perToken)
      emitNest(nest, block, index);
}

void PointEmitter::emitNest(const PointNest &nest, const ScanBlock &block, PointIndex index) {
  // A sum over the lanes alone is stored, not added: every place is met once.
  for (const PointNode *node : nest.nodes)
    if (node->kind == Kind::Sum && !program.isLaneSum(node))
      scratch.fillZero(buffers[node]);
  forInner(b, geometry, nest.loops, index, [&](const PointIndex &point) {
    Values values;
    emitScalars(nest, point, values, /*afterLanes=*/false);
    if (llvm::any_of(nest.nodes, [&](const PointNode *node) { return program.hasLane(node); })) {
      emitCopiesIn(nest, block, point);
      emitLanes(nest, block, point, values);
      emitCopiesOut(nest, block, point);
    }
    emitScalars(nest, point, values, /*afterLanes=*/true);
  });
  // Lanes that other nests read belong to other threads.
  if (geometry.sharesLanes())
    b.barrier();
}

Value PointEmitter::readScalar(const PointNode *node, const PointIndex &index, Values &values) {
  if (Value known = values.lookup(node))
    return known;
  if (Value known = fixed.lookup(node))
    return known;
  Value value = program.isReadWhereUsed(node) ? node->emit(b, index, {}) : loadScratch(node, index);
  return values[node] = value;
}

void PointEmitter::emitScalars(const PointNest &nest, const PointIndex &index, Values &values, bool afterLanes) {
  for (const PointNode *node : nest.nodes) {
    if (program.hasLane(node)) {
      // Read what the lanes need and is the same for all of them, before their loop.
      for (const PointNode *operand : node->operands)
        if (!afterLanes && !contains(operand->dims, geometry.lane))
          readScalar(operand, index, values);
      continue;
    }
    if (program.isAfterLanes(node) != afterLanes)
      continue;
    SmallVector<Value> operands;
    for (const PointNode *operand : node->operands)
      operands.push_back(readScalar(operand, index, values));
    if (node->kind == Kind::Sum) {
      addToSum(node, index, operands.front());
      continue;
    }
    if (node->kind == Kind::Store) {
      b.once([&] { node->emit(b, index, operands); });
      continue;
    }
    Value value = node->emit(b, index, operands);
    values[node] = value;
    if (nest.loops == 0)
      fixed[node] = value;
    else if (buffers.contains(node))
      storeScratch(node, index, value);
  }
}

void PointEmitter::addToSum(const PointNode *sum, const PointIndex &index, Value value) {
  storeScratch(sum, index, b.add(loadScratch(sum, index), value));
}

void PointEmitter::emitCopiesIn(const PointNest &nest, const ScanBlock &block, const PointIndex &index) {
  for (const PointNode *node : nest.nodes)
    if (node->kind == Kind::Leaf && node->copied)
      forEachLane(b, geometry, block, index, node->strided,
                  [&](const PointIndex &place) { storeScratch(node, place, node->emit(b, place, {})); });
}

void PointEmitter::emitCopiesOut(const PointNest &nest, const ScanBlock &block, const PointIndex &index) {
  for (const PointNode *node : nest.nodes)
    if (node->kind == Kind::Store && node->copied)
      forEachLane(b, geometry, block, index, node->strided,
                  [&](const PointIndex &place) { node->emit(b, place, loadScratch(node, place)); });
}

void PointEmitter::emitLanes(const PointNest &nest, const ScanBlock &block, const PointIndex &index, Values &values) {
  int64_t width = geometry.getWidth();
  SmallVector<const PointNode *> laneSums;
  SmallVector<Value> zeros;
  for (const PointNode *node : nest.nodes)
    if (node->kind == Kind::Sum && contains(node->summed, geometry.lane)) {
      laneSums.push_back(node);
      zeros.push_back(b.constant(Lanes(b, width).type(node->type), 0.0));
    }
  SmallVector<Value> sums =
      b.loop(geometry.threads ? b.threadNumber() : b.index(0), block.bound, geometry.threads ? geometry.threads : width,
             zeros, [&](Value lane, ValueRange partial) -> SmallVector<Value> {
               return emitVector(nest, block, atLane(b, geometry, block, index, lane, width), values, partial);
             });
  for (auto [node, sum] : llvm::zip_equal(laneSums, sums)) {
    Value total = geometry.threads ? reduceThreads(b, Reduction::Sum, sum)[0] : reduceVector(b, Reduction::Sum, sum);
    if (!program.isLaneSum(node)) {
      addToSum(node, index, total);
      continue;
    }
    values[node] = total;
    if (buffers.contains(node))
      storeScratch(node, index, total);
  }
}

Value PointEmitter::readVector(const PointNode *node, const PointIndex &index, Values &values) {
  Value value = values.lookup(node);
  if (!value)
    value = fixed.lookup(node);
  if (!value)
    value = loadScratch(node, index);
  return values[node] = splat(b, value, index.width);
}

SmallVector<Value> PointEmitter::emitVector(const PointNest &nest, const ScanBlock &block, const PointIndex &index,
                                            Values values, ValueRange sums) {
  SmallVector<Value> next;
  Value exists; // which of the vector's lanes do
  if (!sums.empty() && geometry.hasPartialVectors()) {
    SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, index.width));
    auto narrow = [&](Value value) {
      return splat(b, arith::IndexCastOp::create(b, b.getI32Type(), value), index.width);
    };
    Value lanes = b.add(arith::ConstantOp::create(b, b.getI32VectorAttr(numbers)), narrow(index.lane));
    exists = b.compare(arith::CmpIPredicate::slt, lanes, narrow(block.count));
  }
  for (const PointNode *node : nest.nodes) {
    if (!program.hasLane(node))
      continue;
    if (node->kind == Kind::Leaf) {
      values[node] = node->copied ? loadScratch(node, index) : node->emit(b, index, {});
      if (!node->copied && buffers.contains(node))
        storeScratch(node, index, values[node]);
      continue;
    }
    SmallVector<Value> operands;
    for (const PointNode *operand : node->operands)
      operands.push_back(readVector(operand, index, values));
    switch (node->kind) {
    case Kind::Sum:
      if (!contains(node->summed, geometry.lane)) {
        addToSum(node, index, operands.front());
        break;
      }
      if (exists) {
        Value zero = b.constant(operands.front().getType(), 0.0);
        operands.front() = b.select(exists, operands.front(), zero);
      }
      next.push_back(b.add(sums[next.size()], operands.front()));
      break;
    case Kind::Store:
      if (node->copied)
        storeScratch(node, index, operands.front());
      else
        node->emit(b, index, operands);
      break;
    default:
      values[node] = node->emit(b, index, operands);
      if (buffers.contains(node))
        storeScratch(node, index, values[node]);
    }
  }
  return next;
}

} // namespace adjc::scan
