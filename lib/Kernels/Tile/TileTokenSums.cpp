//===- TileTokenSums.cpp - cotangents of what does not vary over the tokens, summed over them -------------------===//
#include "TileTokenSums.h"
#include "../ScanOperands.h"

using namespace mlir;

namespace adjc::scan {

void TileTokenSums::add(PointProgram &program, PointNode *node, AffineMap map, Value result) {
  Sum &sum = sums.emplace_back();
  sum.result = result;
  sum.map = map;
  size_t number = sums.size() - 1;
  sum.store = program.addStore(
      node, dimsOf(map) | dimBit(batchDim) | dimBit(tokenDim),
      [=, this](KernelBuilder &b, const PointIndex &, ValueRange values) {
        Sum &sum = sums[number];
        sum.terms.resize(termsOf(sum));
        Value &term = sum.terms[registers.element];
        Value value = registers.exists ? b.select(registers.exists, values[0], b.f32(0)) : values[0];
        term = term ? b.add(term, value) : value;
        return Value();
      },
      /*copied=*/false);
}

bool TileTokenSums::place(const TileProgram &program) {
  for (Sum &sum : sums) {
    TileStage stage = program.stageOf(sum.store->operands.front());
    if (stage == TileStage::LaneSum || stage == TileStage::RowAfter)
      return false;
    sum.sequential = stage == TileStage::Sequential;
  }
  return true;
}

void TileTokenSums::makeShared() {
  for (Sum &sum : sums)
    if (!sum.sequential)
      sum.memory.emplace(b, 1, layout.threads(), layout.pointLanes(), b.getF32Type());
}

int64_t TileTokenSums::floatsOf(const Sum &sum) { return getRowSize(cast<RankedTensorType>(sum.result.getType())); }

int64_t TileTokenSums::workspaceFloats() const {
  int64_t floats = 0;
  for (const Sum &sum : sums)
    floats += floatsOf(sum);
  return floats;
}

//===----------------------------------------------------------------------------------------------------------------===//
// A span's own
//===----------------------------------------------------------------------------------------------------------------===//

SmallVector<Value> TileTokenSums::beginSpan(Value thread) {
  SmallVector<Value> totals;
  for (Sum &sum : sums) {
    if (sum.sequential)
      totals.append(layout.elements(), b.f32(0));
    else
      sum.memory->write(b.index(0), thread, SmallVector<Value>(layout.pointLanes(), b.f32(0)));
  }
  return totals;
}

void TileTokenSums::beginTokens() {
  for (Sum &sum : sums)
    if (sum.sequential)
      sum.terms.assign(layout.elements(), Value());
}

SmallVector<Value> TileTokenSums::endTokens(ValueRange &totals) {
  SmallVector<Value> next;
  for (Sum &sum : sums) {
    if (!sum.sequential)
      continue;
    for (auto [total, term] : llvm::zip(totals, sum.terms))
      next.push_back(term ? b.add(total, term) : total);
    totals = totals.drop_front(layout.elements());
  }
  return next;
}

void TileTokenSums::endPoints(Value thread) {
  Value slot = b.index(0);
  for (Sum &sum : sums) {
    if (sum.sequential || sum.terms.empty())
      continue;
    SmallVector<Value> totals = sum.memory->read(slot, thread);
    for (auto [total, term] : llvm::zip(totals, sum.terms))
      total = b.add(total, term);
    sum.memory->write(slot, thread, totals);
    sum.terms.clear();
  }
}

//===----------------------------------------------------------------------------------------------------------------===//
// In the workspace
//===----------------------------------------------------------------------------------------------------------------===//

Value TileTokenSums::sumBase(unsigned number, Value span, Value chunks) {
  Value perChunk = b.index(2 * stateFloats);
  for (unsigned before = 0; before < number; ++before)
    perChunk = b.add(perChunk, b.index(floatsOf(sums[before])));
  Value base = b.mul(b.mul(perChunk, context.batch), chunks);
  return b.add(base, b.mul(span, b.mul(b.index(floatsOf(sums[number])), context.batch)));
}

Value TileTokenSums::resultOffset(const Sum &sum, const PointIndex &index) {
  auto type = cast<RankedTensorType>(sum.result.getType());
  SmallVector<Value> indices = leading(sum.map, index);
  llvm::append_range(indices, mapIndices(sum.map, index));
  Value offset = b.index(0);
  for (auto [dim, place] : llvm::enumerate(indices))
    offset = b.add(b.mul(offset, context.size(type, dim)), place);
  return offset;
}

void TileTokenSums::endSpan(const TileBlock &block, TileEmitter &emitter, ValueRange totals) {
  b.barrier();
  for (auto [number, sum] : llvm::enumerate(sums)) {
    Value base = sumBase(number, block.span, block.chunks);
    if (!sum.sequential) {
      storePoints(sum, base, block);
      continue;
    }
    storeElements(sum, base, emitter, totals.take_front(layout.elements()));
    totals = totals.drop_front(layout.elements());
  }
}

void TileTokenSums::storeElements(const Sum &sum, Value base, TileEmitter &emitter, ValueRange totals) {
  Value flat = context.workspaceView();
  for (int64_t c = 0; c < layout.laneShare; ++c)
    for (int64_t s = 0; s < layout.innerShare; ++s) {
      auto write = [&] {
        Value place = b.add(base, resultOffset(sum, emitter.elementIndex(c, s, Value())));
        b.store(totals[c * layout.innerShare + s], flat, place);
      };
      if (Value exists = emitter.laneExists(c))
        b.ifThen(exists, write);
      else
        write();
    }
}

/// A thread per lane sums what the threads have of it.
void TileTokenSums::storePoints(const Sum &sum, Value base, const TileBlock &block) {
  Value lane = block.thread, global = b.add(block.scan.firstLane, lane);
  Value writes = b.logicalAnd(b.compare(arith::CmpIPredicate::ult, lane, b.index(layout.lanes())),
                              b.compare(arith::CmpIPredicate::ult, global, b.index(geometry.lanes)));
  b.ifThen(writes, [&] {
    Value group = b.div(lane, b.index(layout.pointLanes())), own = b.remainder(lane, b.index(layout.pointLanes()));
    Value total;
    for (int64_t first = 0; first < layout.threads(); first += layout.laneGroups()) {
      Value part = sum.memory->readAt(b.index(0), b.add(group, b.index(first)), own);
      total = total ? b.add(total, part) : part;
    }
    PointIndex index = makeIndex(geometry, block.scan);
    index.lane = lane;
    index.dims[geometry.lane] = global;
    b.store(total, context.workspaceView(), b.add(base, resultOffset(sum, index)));
  });
}

void TileTokenSums::emitSums() {
  Value flat = context.workspaceView();
  context.forGroups([&](Value group) {
    Value element = b.add(b.mul(group, b.index(gpuThreads)), b.threadNumber());
    Value chunks = b.ceilDiv(context.tokens, layout.chunk);
    Value spans = b.ceilDiv(context.tokens, layout.chunk * layout.span);
    for (auto [number, sum] : llvm::enumerate(sums)) {
      Value count = b.mul(b.index(floatsOf(sum)), context.batch);
      b.ifThen(b.compare(arith::CmpIPredicate::ult, element, count), [&, number = number, &sum = sum] {
        Value total = b.loop(b.index(0), spans, 1, b.f32(0), [&](Value span, ValueRange carried) {
          Value place = b.add(sumBase(number, span, chunks), element);
          return SmallVector<Value>{b.add(carried[0], b.load(flat, place))};
        })[0];
        b.store(total, context.flatView(sum.result), element);
      });
    }
  });
}

} // namespace adjc::scan
