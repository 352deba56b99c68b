//===- TileKernel.cpp - what the launches of a tiled recurrence share -------------------------------------------===//
#include "TileKernel.h"
#include "../KernelFunction.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace adjc::scan {

/// Elements of the state per group of a carry.
static constexpr int64_t carryElements = gpuThreads;
/// Registers that are left beside the sequential part for the operands of the next tile.
static constexpr int64_t operandsAhead = 16;
/// Chunks that a carry reads ahead.
static constexpr int64_t carryUnroll = 16;

int64_t TileKernel::stateFloats() const {
  int64_t floats = geometry.stateParts;
  for (unsigned dim : geometry.state)
    floats *= geometry.sizes[dim];
  return floats;
}

PointValue TileKernel::addElementLeaf(ElementValues &values) {
  values = ElementValues(parts());
  PointValue leaf;
  for (unsigned part = 0; part < parts(); ++part) {
    PointNode *node = program.addLeaf(
        geometry.stateSet, geometry.stateType,
        [&values, part, this](KernelBuilder &, const PointIndex &, ValueRange) {
          return values[part][registers.element];
        },
        /*copied=*/false);
    stateLeaves.insert(node);
    (part == 0 ? leaf.re : leaf.im) = node;
  }
  return leaf;
}

SmallVector<const PointNode *> TileKernel::addElementStore(PointValue value, ElementValues &values, PointNode *like) {
  values = ElementValues(parts(), SmallVector<Value>(layout.elements()));
  SmallVector<const PointNode *> stores;
  for (unsigned part = 0; part < parts(); ++part) {
    PointNode *node = part == 0 ? value.re : value.im;
    // Of the state's dimensions, whatever the value itself varies over.
    PointNode *full = program.addValue(
        {node, like}, node->type, [](KernelBuilder &, const PointIndex &, ValueRange operands) { return operands[0]; });
    stores.push_back(program.addStore(
        full, geometry.stateSet,
        [&values, part, this](KernelBuilder &, const PointIndex &, ValueRange operands) {
          values[part][registers.element] = operands[0];
          return Value();
        },
        /*copied=*/false));
  }
  return stores;
}

const PointNode *TileKernel::addTileOutput(PointNode *node, Value tensor, AffineMap map,
                                           std::function<SmallVector<Value>(const PointIndex &)> leading) {
  Value view = context.fullView(tensor);
  PointNode *store = program.addStore(
      node, dimsOf(map) | dimBit(batchDim) | dimBit(tokenDim),
      [=, this](KernelBuilder &b, const PointIndex &index, ValueRange values) {
        SmallVector<Value> indices = leading ? leading(index) : SmallVector<Value>();
        llvm::append_range(indices, mapIndices(map, index));
        auto write = [&] { Lanes(b, getWidth(values[0]), /*aligned=*/true).store(values[0], view, indices); };
        if (registers.exists)
          b.ifThen(registers.exists, write);
        else
          write();
        return Value();
      },
      /*copied=*/false);
  // Says where it writes: the emitter gives it several lanes at once where that is aligned.
  store->tensor = tensor;
  store->map = map;
  return store;
}

bool TileKernel::makeProgram() {
  program.shareProducts();
  tiles.emplace(program, geometry, layout, stateLeaves);
  return tiles->fits();
}

bool TileKernel::makeEmitter(PointNode *resetFlag, bool parkPoints) {
  if (!makeProgram())
    return false;
  emitter.emplace(context, geometry, layout, *tiles, registers, resetFlag, parkPoints);
  return true;
}

ElementValues TileKernel::constants(double re) {
  ElementValues values(parts(), SmallVector<Value>(layout.elements(), b.f32(0)));
  values[0].assign(layout.elements(), b.f32(re));
  return values;
}

ElementValues TileKernel::multiply(const ElementValues &a, const ElementValues &x, bool conjugate) {
  ElementValues product = x;
  for (int64_t i = 0; i < layout.elements(); ++i) {
    if (parts() == 1) {
      product[0][i] = b.mul(a[0][i], x[0][i]);
      continue;
    }
    Value im = conjugate ? b.neg(a[1][i]) : a[1][i];
    product[0][i] = b.sub(b.mul(a[0][i], x[0][i]), b.mul(im, x[1][i]));
    product[1][i] = b.add(b.mul(a[0][i], x[1][i]), b.mul(im, x[0][i]));
  }
  return product;
}

ElementValues TileKernel::select(Value condition, const ElementValues &x, const ElementValues &y) {
  ElementValues values = x;
  for (unsigned part = 0; part < parts(); ++part)
    for (int64_t i = 0; i < layout.elements(); ++i)
      values[part][i] = b.select(condition, x[part][i], y[part][i]);
  return values;
}

SmallVector<Value> TileKernel::flatten(ArrayRef<const ElementValues *> lists) {
  SmallVector<Value> flat;
  for (const ElementValues *values : lists)
    for (const auto &part : *values)
      llvm::append_range(flat, part);
  return flat;
}

void TileKernel::forChunks(function_ref<Value(const TileBlock &)> isNeeded,
                           function_ref<void(const TileBlock &)> body) {
  context.forGroups([&](Value group) {
    TileBlock block = makeTileBlock(context, geometry, layout, /*span=*/1, group);
    b.ifThen(isNeeded(block), [&] {
      emitter->emitHoisted(block);
      body(block);
    });
  });
}

void TileKernel::forSpans(function_ref<void(const TileBlock &)> body) {
  context.forGroups([&](Value group) {
    TileBlock block = makeTileBlock(context, geometry, layout, layout.span, group);
    emitter->emitHoisted(block);
    body(block);
  });
}

Tile TileKernel::tileAt(const TileBlock &block, Value first) {
  return {b.add(block.firstToken, first), b.min(b.index(tileTokens), b.sub(block.tokens, first))};
}

SmallVector<Value> TileKernel::emitTokens(const Tile &tile, ValueRange carried,
                                          function_ref<SmallVector<Value>(const Tile &, ValueRange)> body) {
  b.barrier();
  SmallVector<Value> next = b.ifElse(
      carried.getTypes(), emitter->isPlain(tile),
      [&] {
        Tile plain = tile;
        plain.plain = true;
        return body(plain, carried);
      },
      [&] { return body(tile, carried); });
  b.barrier();
  return next;
}

SmallVector<Value> TileKernel::forTiles(const TileBlock &block, bool reverse, ValueRange inits,
                                        function_ref<SmallVector<Value>(const Tile &)> read, size_t ownOperands,
                                        function_ref<SmallVector<Value>(const Tile &, ValueRange, ValueRange)> tokens,
                                        function_ref<void()> finishPoints) {
  Value last = b.sub(b.ceilDiv(block.tokens, tileTokens), b.index(1));
  auto tileNumber = [&](Value number) {
    Value place = reverse ? b.sub(last, number) : number;
    return tileAt(block, b.mul(place, b.index(tileTokens)));
  };
  auto readAll = [&](Value number) {
    Tile tile = tileNumber(number);
    SmallVector<Value> values = emitter->readTile(tile);
    llvm::append_range(values, read(tile));
    return values;
  };
  bool late = readsLate.value_or(emitter->operandRegisters() > operandsAhead);
  SmallVector<Value> first(inits);
  SmallVector<Value> firstRead = readAll(b.index(0));
  llvm::append_range(first, firstRead);
  SmallVector<Value> end = b.loop(b.index(0), b.add(last, b.index(1)), 1, first, [&](Value number, ValueRange carried) {
    ValueRange values = carried.take_front(inits.size()), operands = carried.drop_front(inits.size());
    Tile tile = tileNumber(number);
    emitter->emitBefore(tile, operands.drop_back(ownOperands));
    finishPoints();
    auto readNext = [&] { return readAll(b.min(b.add(number, b.index(1)), last)); };
    // The next tile's operands are on their way while this one is worked on, or finished.
    SmallVector<Value> nextRead;
    if (!late)
      nextRead = readNext();
    SmallVector<Value> next = emitTokens(tile, values, [&](const Tile &tile, ValueRange values) {
      return tokens(tile, operands.take_back(ownOperands), values);
    });
    if (late)
      nextRead = readNext();
    emitter->emitAfter(tile);
    finishPoints();
    llvm::append_range(next, nextRead);
    return next;
  });
  end.resize(inits.size());
  return end;
}

ElementValues TileKernel::ifToken(const Tile &tile, const TileSlot &slot, const ElementValues &values,
                                  const ElementValues &old) {
  return tile.plain ? values : select(emitter->isToken(tile, slot), values, old);
}

SmallVector<Value> TileKernel::forQuarters(ValueRange inits, bool reverse, int64_t count,
                                           function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  return reverse ? b.reverseLoop(b.index(0), b.index(count), inits, body)
                 : b.loop(b.index(0), b.index(count), 1, inits, body);
}

ElementValues TileKernel::take(ValueRange &values) {
  ElementValues list(parts());
  for (auto &part : list) {
    part.assign(values.begin(), values.begin() + layout.elements());
    values = values.drop_front(layout.elements());
  }
  return list;
}

/// The place of element (c, s) in a state's floats.
static Value elementOffset(KernelBuilder &b, const ScanGeometry &geometry, const PointIndex &index) {
  Value offset = b.index(0);
  for (unsigned dim : geometry.state)
    offset = b.add(b.mul(offset, b.index(geometry.sizes[dim])), index.dims[dim]);
  return b.mul(offset, b.index(geometry.stateParts));
}

/// Whether the elements (c, 0..3) are one aligned vector of four.
static bool isVector(const ScanGeometry &geometry, const TileLayout &layout) {
  return layout.innerShare == 4 && geometry.stateParts == 1 && layout.inner && geometry.state.back() == *layout.inner;
}

Value TileKernel::vectorOffset(int64_t c) {
  PointIndex index = emitter->elementIndex(c, 0, Value());
  index.dims[*layout.inner] = b.mul(emitter->getBlock().innerThread, b.index(layout.innerShare));
  return elementOffset(b, geometry, index);
}

ElementValues TileKernel::loadElements(Value flat, Value base) { return inOwnOrder(readElements(flat, base)); }

ElementValues TileKernel::inOwnOrder(const ElementValues &read) {
  ElementValues values = read;
  for (int64_t c = 0; isVector(geometry, layout) && c < layout.laneShare; ++c)
    llvm::copy(emitter->twisted(ArrayRef(read[0]).slice(c * 4, 4)), values[0].begin() + c * 4);
  return values;
}

ElementValues TileKernel::readElements(Value flat, Value base) {
  ElementValues values(parts(), SmallVector<Value>(layout.elements()));
  for (int64_t c = 0; c < layout.laneShare; ++c) {
    if (isVector(geometry, layout)) {
      Value place = b.add(base, vectorOffset(c));
      Value vector = vector::LoadOp::create(b, VectorType::get({4}, b.getF32Type()), flat, ValueRange(place),
                                            /*nontemporal=*/false, llvm::MaybeAlign(16));
      for (int64_t s = 0; s < 4; ++s)
        values[0][c * 4 + s] = vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{s});
      continue;
    }
    for (int64_t s = 0; s < layout.innerShare; ++s) {
      Value place = b.add(base, elementOffset(b, geometry, emitter->elementIndex(c, s, Value())));
      for (unsigned part = 0; part < parts(); ++part)
        values[part][c * layout.innerShare + s] = b.load(flat, b.add(place, b.index(part)));
    }
  }
  return values;
}

void TileKernel::storeElements(const ElementValues &values, Value flat, Value base) {
  for (int64_t c = 0; c < layout.laneShare; ++c) {
    auto write = [&] {
      if (isVector(geometry, layout)) {
        Value place = b.add(base, vectorOffset(c));
        Value vector = vector::FromElementsOp::create(b, VectorType::get({4}, b.getF32Type()),
                                                      emitter->twisted(ArrayRef(values[0]).slice(c * 4, 4)));
        vector::StoreOp::create(b, vector, flat, ValueRange(place), /*nontemporal=*/false, llvm::MaybeAlign(16));
        return;
      }
      for (int64_t s = 0; s < layout.innerShare; ++s) {
        Value place = b.add(base, elementOffset(b, geometry, emitter->elementIndex(c, s, Value())));
        for (unsigned part = 0; part < parts(); ++part)
          b.store(values[part][c * layout.innerShare + s], flat, b.add(place, b.index(part)));
      }
    };
    if (Value exists = emitter->laneExists(c))
      b.ifThen(exists, write);
    else
      write();
  }
}

Value TileKernel::workspaceBase(unsigned number, Value sequence, Value chunk, Value chunks) {
  Value place = b.add(b.mul(b.add(b.mul(b.index(number), context.batch), sequence), chunks), chunk);
  return b.mul(place, b.index(stateFloats()));
}

KernelGrid TileKernel::carryGrid(const ScanGeometry &geometry) {
  int64_t elements = 1;
  for (unsigned dim : geometry.state)
    elements *= geometry.sizes[dim];
  return {GridUnit::Batch, 1, static_cast<int64_t>(llvm::divideCeil(elements, carryElements)), carryElements};
}

void TileKernel::emitCarry(Value initial, bool reverse) {
  Value flat = context.workspaceView();
  Value from = initial ? context.flatView(initial) : Value();
  int64_t perSequence = carryGrid(geometry).factor, floats = stateFloats();
  context.forGroups([&](Value group) {
    Value sequence = b.div(group, b.index(perSequence));
    Value element = b.add(b.mul(b.remainder(group, b.index(perSequence)), b.index(carryElements)), b.threadNumber());
    Value offset = b.mul(element, b.index(parts()));
    b.ifThen(b.compare(arith::CmpIPredicate::ult, offset, b.index(floats)), [&] {
      Value chunks = b.ceilDiv(context.tokens, layout.chunk), span = b.index(layout.span);
      // To where the last span begins: `_states` has computed the chunks before it, and no others.
      Value spans = b.ceilDiv(context.tokens, layout.chunk * layout.span);
      Value steps = reverse ? b.max(b.sub(chunks, span), b.index(0)) : b.mul(b.sub(spans, b.index(1)), span);
      Value own = b.add(b.mul(sequence, b.index(floats)), offset);
      SmallVector<Value> state;
      for (unsigned part = 0; part < parts(); ++part)
        state.push_back(from ? b.load(from, b.add(own, b.index(part))) : b.f32(0));
      auto chunkOf = [&](Value number) { return reverse ? b.sub(b.sub(chunks, b.index(1)), number) : number; };
      auto placeOf = [&](unsigned array, Value number) {
        return b.add(workspaceBase(array, sequence, chunkOf(number), chunks), offset);
      };
      auto beginsSpan = [&](Value number) {
        Value within = b.remainder(reverse ? b.add(chunkOf(number), b.index(1)) : number, span);
        Value begins = b.compare(arith::CmpIPredicate::eq, within, b.index(0));
        return reverse ? b.logicalOr(begins, b.compare(arith::CmpIPredicate::eq, number, b.index(0))) : begins;
      };
      auto step = [&](ValueRange a, ValueRange u, ValueRange carried) {
        if (parts() == 1)
          return SmallVector<Value>{b.mulAdd(a[0], carried[0], u[0])};
        Value im = reverse ? b.neg(a[1]) : a[1];
        return SmallVector<Value>{b.add(b.sub(b.mul(a[0], carried[0]), b.mul(im, carried[1])), u[0]),
                                  b.add(b.add(b.mul(a[0], carried[1]), b.mul(im, carried[0])), u[1])};
      };
      // Several chunks at once: their reads wait for memory together. Of chunks that do not exist nothing is kept.
      state = b.loop(b.index(0), steps, carryUnroll, state, [&](Value first, ValueRange carried) {
        SmallVector<SmallVector<Value>> a(carryUnroll), u(carryUnroll);
        SmallVector<Value> exists, stored, places, now(carried);
        for (int64_t i = 0; i < carryUnroll; ++i) {
          Value number = b.add(first, b.index(i));
          exists.push_back(b.compare(arith::CmpIPredicate::slt, number, steps));
          stored.push_back(b.logicalAnd(exists[i], beginsSpan(number)));
          number = b.min(number, b.sub(steps, b.index(1)));
          Value product = placeOf(0, number);
          places.push_back(placeOf(1, number));
          for (unsigned part = 0; part < parts(); ++part) {
            a[i].push_back(b.load(flat, b.add(product, b.index(part))));
            u[i].push_back(b.load(flat, b.add(places[i], b.index(part))));
          }
        }
        for (int64_t i = 0; i < carryUnroll; ++i) {
          b.ifThen(stored[i], [&] {
            for (unsigned part = 0; part < parts(); ++part)
              b.store(now[part], flat, b.add(places[i], b.index(part)));
          });
          SmallVector<Value> next = step(a[i], u[i], now);
          for (unsigned part = 0; part < parts(); ++part)
            now[part] = b.select(exists[i], next[part], now[part]);
        }
        return now;
      });
      Value last = placeOf(1, steps);
      for (unsigned part = 0; part < parts(); ++part)
        b.store(state[part], flat, b.add(last, b.index(part)));
    });
  });
}

bool tryInScratch(adj::KernelOp kernel, function_ref<bool(KernelContext &)> build) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(kernel.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  func::FuncOp function = makeKernelFunction(builder, kernel, "scratch", KernelTarget::Gpu, /*workspace=*/true);
  KernelContext context(kernel, function, KernelTarget::Gpu, KernelGrid{GridUnit::One, 1, 1, 32});
  return build(context);
}

} // namespace adjc::scan
