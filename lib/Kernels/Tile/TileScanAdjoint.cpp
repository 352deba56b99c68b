//===- TileScanAdjoint.cpp - the recurrence's adjoint, in tiles on a GPU ----------------------------------------===//
//
// A tile begins at a checkpoint. From there the states at its quarters are computed and put aside, then quarter by
// quarter, the last one first: its states again, which stay in registers for the way back, and so do the values of its
// functions, which cost most.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "TileKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace adjc::scan {

namespace {

/// The cotangent of an input that does not vary over the tokens, summed over them in registers.
struct TileTokenSum {
  Value result; ///< the tensor
  AffineMap map;
  bool sequential = false; ///< of the thread's elements; otherwise of its (token, lane) points, which are of one lane
  SmallVector<Value> tile, total; ///< of the current tile, and of those before
  const PointNode *store = nullptr;
};

class TileScanAdjoint : public TileKernel {
public:
  enum Launch { States, Carry, Gradients, Sums };

  TileScanAdjoint(KernelContext &context, adj::ScanAdjointOp scan, const ScanGeometry &geometry,
                  const TileLayout &layout)
      : TileKernel(context, geometry, layout), scan(scan) {}

  /// Builds the program of a launch. False where the regions do not fit.
  FailureOr<bool> build(Launch launch) {
    SmallVector<PointValue> arguments, step, yielded;
    for (auto [number, input] : llvm::enumerate(scan.getInputs()))
      arguments.push_back({addInput(program, geometry, context, input, getMap(number))});
    SmallVector<PointValue> stepArguments(arguments);
    for (auto [number, tensor] : llvm::enumerate(scan.getCotangents()))
      arguments.push_back({addCotangent(program, geometry, context, tensor, getMap(scan.getInputs().size() + number))});
    PointNode *flag = addResetFlag(program, context, scan.getResets());
    PointNode *resetFlag = scan.getResets() ? flag : nullptr;
    stepArguments.push_back({flag});
    if (failed(program.addRegion(scan.getStep(), stepArguments, step)))
      return failure();
    PointValue beforeLeaf = addElementLeaf(before), afterLeaf = addElementLeaf(after),
               cotangentLeaf = addElementLeaf(cotangent);
    PointValue masked = addUnlessReset(program, beforeLeaf, resetFlag);
    arguments.push_back(masked);
    arguments.push_back(afterLeaf);
    arguments.push_back(cotangentLeaf);
    arguments.push_back({flag});
    if (failed(program.addRegion(scan.getAdjoint(), arguments, yielded)))
      return failure();
    addElementStore(addUnlessReset(program, yielded.front(), resetFlag), nextCotangent, cotangentLeaf.re);
    if (launch == States) {
      addElementStore(addUnlessReset(program, step[0], resetFlag), transition, cotangentLeaf.re);
      SmallVector<const PointNode *> states{beforeLeaf.re, beforeLeaf.im, afterLeaf.re, afterLeaf.im};
      return makeEmitter(resetFlag) && !uses(states);
    }
    recomputeStores = addElementStore(addStep(program, geometry, step[0], masked, step[1]), nextState, beforeLeaf.re);
    for (auto [value, number, result] :
         llvm::zip_equal(ArrayRef(yielded).drop_front(), scan.getDifferentiated(), scan.getInputCotangents()))
      if (isWritten(result))
        addContribution(value.re, getMap(number), result);
    return makeEmitter(resetFlag, /*parkPoints=*/true) && placeTokenSums();
  }

  /// Floats of workspace per sequence and chunk, for the token sums.
  int64_t tokenSumFloats() const {
    int64_t floats = 0;
    for (const TileTokenSum &sum : tokenSums)
      floats += floatsOf(sum);
    return floats;
  }

  void emitStates() {
    Value flat = context.workspaceView();
    forChunks([&](const TileBlock &block) {
      ElementValues c = zeros(), product = constants(1);
      SmallVector<Value> last = forTiles(block, flatten({&c, &product}), [&](const Tile &tile, ValueRange carried) {
        auto all = tiles->closure(tiles->stores());
        return forQuarters(carried, /*reverse=*/true, 4, [&](Value quarter, ValueRange values) {
          ElementValues value = take(values), p = take(values);
          for (int64_t offset = quarterTokens; offset-- > 0;) {
            TileSlot slot{quarter, offset};
            cotangent = value;
            emitter->emitToken(tile, slot, all);
            ElementValues nextProduct = multiply(transition, p, /*conjugate=*/true);
            value = ifToken(tile, slot, nextCotangent, value);
            p = ifToken(tile, slot, nextProduct, p);
          }
          return flatten({&value, &p});
        });
      });
      ValueRange rest(last);
      c = take(rest);
      product = take(rest);
      storeElements(product, flat, workspaceBase(0, block.scan.batch, block.chunk, block.chunks));
      storeElements(c, flat, workspaceBase(1, block.scan.batch, block.chunk, block.chunks));
    });
  }

  void emitCarries() {
    Value next = isWritten(scan.getNextStateCotangent()) ? scan.getNextStateCotangent() : Value();
    TileKernel::emitCarry(scan.getStateCotangent(), next, /*reverse=*/true);
  }

  void emitGradients() {
    Value flat = context.workspaceView();
    checkpoints = context.flatView(scan.getCheckpoints());
    recomputed = tiles->closure(recomputeStores);
    SmallVector<const PointNode *> others = llvm::filter_to_vector(
        tiles->stores(), [&](const PointNode *store) { return !llvm::is_contained(recomputeStores, store); });
    for (const PointNode *sum : tiles->inStage(TileStage::InnerSum))
      others.push_back(sum);
    reversed = tiles->closure(others);
    Value memory = sumMemory();
    quarterStates =
        b.workspace({3, static_cast<int64_t>(parts()) * layout.elements(), layout.threads()}, b.getF32Type());
    forChunks([&](const TileBlock &block) {
      ElementValues c = loadElements(flat, workspaceBase(1, block.scan.batch, block.chunk, block.chunks));
      SmallVector<Value> inits = flatten({&c});
      for (TileTokenSum &sum : tokenSums)
        inits.append(sum.sequential ? layout.elements() : 1, b.f32(0));
      SmallVector<Value> last =
          forTiles(block, inits, [&](const Tile &tile, ValueRange carried) { return emitReverse(tile, carried); });
      ValueRange rest(last);
      take(rest);
      for (TileTokenSum &sum : tokenSums) {
        size_t count = sum.sequential ? layout.elements() : 1;
        sum.total.assign(rest.begin(), rest.begin() + count);
        rest = rest.drop_front(count);
        storeTokenSum(block, sum, memory);
      }
    });
  }

  /// Sums what the chunks left of the token sums.
  void emitSums() {
    Value flat = context.workspaceView();
    context.forGroups([&](Value group) {
      Value element = b.add(b.mul(group, b.index(gpuThreads)), b.threadNumber());
      Value chunks = b.ceilDiv(context.tokens, layout.chunk);
      for (auto [number, sum] : llvm::enumerate(tokenSums)) {
        Value count = b.mul(b.index(floatsOf(sum)), context.batch);
        b.ifThen(b.compare(arith::CmpIPredicate::ult, element, count), [&, number = number, &sum = sum] {
          Value total = b.loop(b.index(0), chunks, 1, b.f32(0), [&](Value chunk, ValueRange carried) {
            Value place = b.add(sumBase(number, chunk, chunks), element);
            return SmallVector<Value>{b.add(carried[0], b.load(flat, place))};
          })[0];
          b.store(total, context.flatView(sum.result), element);
        });
      }
    });
  }

private:
  bool isWritten(Value result) { return result && context.isOutput(result); }
  AffineMap getMap(unsigned number) { return cast<AffineMapAttr>(scan.getIndexingMaps()[number]).getValue(); }

  bool uses(ArrayRef<const PointNode *> leaves) {
    return llvm::any_of(tiles->inStage(TileStage::Sequential),
                        [&](const PointNode *node) { return llvm::is_contained(leaves, node); });
  }

  SmallVector<Value> partialIndices(AffineMap map, const PointIndex &index) {
    SmallVector<Value> indices;
    if (std::optional<Value> number = geometry.partialNumber(b, dimsOf(map), index))
      indices.push_back(*number);
    if (!contains(dimsOf(map), batchDim))
      indices.push_back(index.dims[batchDim]);
    return indices;
  }

  void addContribution(PointNode *node, AffineMap map, Value result) {
    if (contains(dimsOf(map), tokenDim)) {
      addTileOutput(node, result, map, [=, this](const PointIndex &index) { return partialIndices(map, index); });
      return;
    }
    auto &sum = tokenSums.emplace_back();
    sum.result = result;
    sum.map = map;
    size_t number = tokenSums.size() - 1;
    sum.store = program.addStore(
        node, dimsOf(map) | dimBit(batchDim) | dimBit(tokenDim),
        [=, this](KernelBuilder &b, const PointIndex &, ValueRange values) {
          TileTokenSum &sum = tokenSums[number];
          Value &place = sum.tile[sum.sequential ? registers.element : 0];
          Value value = registers.exists ? b.select(registers.exists, values[0], b.f32(0)) : values[0];
          place = b.add(place, value);
          return Value();
        },
        /*copied=*/false);
  }

  /// False where a token sum is not of elements or of (token, lane) points.
  bool placeTokenSums() {
    for (TileTokenSum &sum : tokenSums) {
      TileStage stage = tiles->stageOf(sum.store->operands.front());
      if (stage == TileStage::LaneSum || stage == TileStage::RowAfter)
        return false;
      sum.sequential = stage == TileStage::Sequential;
      if (!sum.sequential && layout.threads() % layout.lanes() != 0)
        return false;
    }
    return true;
  }

  /// Runs over the tiles of a chunk from the last to the first. Carried are what `body` carries, then the totals of the
  /// token sums.
  SmallVector<Value> forTiles(const TileBlock &block, ValueRange inits,
                              function_ref<SmallVector<Value>(const Tile &, ValueRange)> body) {
    Value resets = scan.getResets() ? context.fullView(scan.getResets()) : Value();
    return b.reverseLoop(b.index(0), b.ceilDiv(block.tokens, tileTokens), inits, [&](Value number, ValueRange carried) {
      Value first = b.mul(number, b.index(tileTokens));
      Tile tile = tileAt(block, first);
      SmallVector<Value> next = emitBeforeAndTokens(tile, resets, carried, body);
      // The sums of (token, lane) points are carried too.
      size_t place = next.size();
      for (TileTokenSum &sum : tokenSums)
        place -= sum.sequential ? layout.elements() : 1;
      for (TileTokenSum &sum : tokenSums)
        if (!sum.sequential)
          sum.tile.assign(1, b.f32(0));
      emitter->emitAfter(tile);
      for (TileTokenSum &sum : tokenSums) {
        if (!sum.sequential)
          next[place] = b.add(next[place], sum.tile[0]);
        place += sum.sequential ? layout.elements() : 1;
      }
      return next;
    });
  }

  ElementValues advance(const Tile &tile, const TileSlot &slot, const ElementValues &state, TileValues *values) {
    before = state;
    TileValues all = emitter->emitToken(tile, slot, recomputed);
    if (values)
      for (auto &[node, elements] : all)
        if (node->op && isa<math::MathDialect>(node->op->getDialect()))
          (*values)[node] = elements;
    return ifToken(tile, slot, nextState, state);
  }

  /// The sequential part of a tile. Carried are the state's cotangent and the totals of the token sums.
  SmallVector<Value> emitReverse(const Tile &tile, ValueRange carried) {
    Value thread = emitter->getBlock().thread;
    Value perSequence = b.ceilDiv(context.tokens, tileTokens);
    Value number = b.add(b.mul(emitter->getBlock().scan.batch, perSequence), b.div(tile.first, b.index(tileTokens)));
    ElementValues start = loadElements(checkpoints, b.mul(number, b.index(stateFloats())));
    int64_t last = 3;
    SmallVector<Value> lastQuarter =
        forQuarters(flatten({&start}), /*reverse=*/false, last, [&](Value quarter, ValueRange values) {
          for (auto [i, value] : llvm::enumerate(values))
            b.store(value, quarterStates, {quarter, b.index(i), thread});
          ElementValues state = take(values);
          for (int64_t offset = 0; offset < quarterTokens; ++offset)
            state = advance(tile, {quarter, offset}, state, nullptr);
          return flatten({&state});
        });
    // What a quarter begins with comes along: the last one's from the way here, the others' from where it was put.
    SmallVector<Value> inits(lastQuarter);
    llvm::append_range(inits, carried);
    SmallVector<Value> all = forQuarters(inits, /*reverse=*/true, 4, [&](Value quarter, ValueRange values) {
      Value previous = b.max(b.sub(quarter, b.index(1)), b.index(0));
      SmallVector<Value> nextStart;
      for (size_t i = 0; i < lastQuarter.size(); ++i)
        nextStart.push_back(b.load(quarterStates, {previous, b.index(i), thread}));
      ElementValues state = take(values);
      llvm::append_range(nextStart, emitQuarter(tile, quarter, state, values));
      return nextStart;
    });
    return SmallVector<Value>(ArrayRef(all).drop_front(lastQuarter.size()));
  }

  SmallVector<Value> emitQuarter(const Tile &tile, Value quarter, const ElementValues &start, ValueRange carried) {
    ElementValues c = take(carried);
    for (TileTokenSum &sum : tokenSums) {
      size_t count = sum.sequential ? layout.elements() : 1;
      sum.total.assign(carried.begin(), carried.begin() + count);
      carried = carried.drop_front(count);
      if (sum.sequential)
        sum.tile.assign(count, b.f32(0));
    }
    SmallVector<ElementValues> states{start};
    SmallVector<TileValues> known(quarterTokens);
    for (int64_t i = 0; i < quarterTokens; ++i)
      states.push_back(advance(tile, {quarter, i}, states.back(), &known[i]));
    for (int64_t i = quarterTokens; i-- > 0;) {
      TileSlot slot{quarter, i};
      before = states[i];
      after = states[i + 1];
      cotangent = c;
      emitter->emitToken(tile, slot, reversed, known[i]);
      c = ifToken(tile, slot, nextCotangent, c);
      emitter->finishToken();
      if (i % emitter->getGroupTokens() == 0)
        emitter->finishGroup();
    }
    SmallVector<Value> next = flatten({&c});
    for (TileTokenSum &sum : tokenSums)
      for (auto [i, total] : llvm::enumerate(sum.total))
        next.push_back(sum.sequential ? b.add(total, sum.tile[i]) : total);
    return next;
  }

  //===----------------------------------------------------------------------------------------------------------===//
  // Token sums in the workspace: [sum][chunk][place in the result]
  //===----------------------------------------------------------------------------------------------------------===//

  /// Floats of the result per sequence.
  int64_t floatsOf(const TileTokenSum &sum) const { return getRowSize(cast<RankedTensorType>(sum.result.getType())); }

  Value sumBase(unsigned number, Value chunk, Value chunks) {
    Value base = workspaceBase(2, b.index(0), b.index(0), chunks); // after the two arrays of states
    for (unsigned before = 0; before < number; ++before)
      base = b.add(base, b.mul(b.mul(b.index(floatsOf(tokenSums[before])), context.batch), chunks));
    return b.add(base, b.mul(chunk, b.mul(b.index(floatsOf(tokenSums[number])), context.batch)));
  }

  /// The place of a point in the result's floats.
  Value resultOffset(const TileTokenSum &sum, const PointIndex &index) {
    auto type = cast<RankedTensorType>(sum.result.getType());
    SmallVector<Value> indices = partialIndices(sum.map, index);
    llvm::append_range(indices, mapIndices(sum.map, index));
    Value offset = b.index(0);
    for (auto [dim, place] : llvm::enumerate(indices))
      offset = b.add(b.mul(offset, context.size(type, dim)), place);
    return offset;
  }

  /// Shared memory to sum what several threads have of one lane; null where none do.
  Value sumMemory() {
    if (layout.threads() == layout.lanes() ||
        llvm::all_of(tokenSums, [](const TileTokenSum &sum) { return sum.sequential; }))
      return Value();
    return b.workspace({layout.threads() / layout.lanes(), layout.lanes()}, b.getF32Type());
  }

  void storeTokenSum(const TileBlock &block, TileTokenSum &sum, Value memory) {
    Value flat = context.workspaceView();
    unsigned number = &sum - tokenSums.data();
    Value base = sumBase(number, block.chunk, block.chunks);
    if (sum.sequential) {
      for (int64_t c = 0; c < layout.laneShare; ++c)
        for (int64_t s = 0; s < layout.innerShare; ++s) {
          auto write = [&] {
            Value place = b.add(base, resultOffset(sum, emitter->elementIndex(c, s, Value())));
            b.store(sum.total[c * layout.innerShare + s], flat, place);
          };
          if (Value exists = emitter->laneExists(c))
            b.ifThen(exists, write);
          else
            write();
        }
      return;
    }
    Value lane = b.remainder(block.thread, b.index(layout.lanes()));
    Value total = sum.total[0];
    if (memory) {
      b.barrier();
      b.store(total, memory, {b.div(block.thread, b.index(layout.lanes())), lane});
      b.barrier();
      total = b.load(memory, {b.index(0), lane});
      for (int64_t part = 1; part < layout.threads() / layout.lanes(); ++part)
        total = b.add(total, b.load(memory, {b.index(part), lane}));
    }
    Value global = b.add(block.scan.firstLane, lane);
    Value writes = b.logicalAnd(b.compare(arith::CmpIPredicate::ult, block.thread, b.index(layout.lanes())),
                                b.compare(arith::CmpIPredicate::ult, global, b.index(geometry.lanes)));
    b.ifThen(writes, [&] {
      PointIndex index = makeIndex(geometry, block.scan);
      index.lane = lane;
      index.dims[geometry.lane] = global;
      b.store(total, flat, b.add(base, resultOffset(sum, index)));
    });
  }

  adj::ScanAdjointOp scan;
  ElementValues before, after, cotangent, nextCotangent, nextState, transition;
  SmallVector<const PointNode *> recomputeStores;
  llvm::DenseSet<const PointNode *> recomputed, reversed;
  std::vector<TileTokenSum> tokenSums;
  Value checkpoints;
  Value quarterStates; ///< of the tile: [quarter][part and element][thread]
};

std::optional<TileLayout> layoutOf(adj::ScanAdjointOp scan, const ScanGeometry &geometry) {
  if (scan.getCheckpointEvery() != tileTokens)
    return std::nullopt;
  return TileLayout::get(geometry);
}

} // namespace

KernelLaunches tileScanAdjointLaunches(adj::KernelOp kernel, Operation *op, KernelTarget target) {
  auto scan = cast<adj::ScanAdjointOp>(op);
  ScanGeometry geometry = ScanGeometry::get(op, target);
  KernelLaunches launches;
  launches.list.push_back({"", geometry.getGrid()});
  std::optional<TileLayout> layout = target == KernelTarget::Gpu ? layoutOf(scan, geometry) : std::nullopt;
  int64_t sums = 0, largest = 1;
  auto fits = [&](TileScanAdjoint::Launch launch) {
    return tryInScratch(kernel, [&](KernelContext &context) {
      TileScanAdjoint adjoint(context, scan, geometry, *layout);
      FailureOr<bool> built = adjoint.build(launch);
      if (launch == TileScanAdjoint::Gradients)
        sums = adjoint.tokenSumFloats();
      return succeeded(built) && *built;
    });
  };
  if (!layout || !fits(TileScanAdjoint::States) || !fits(TileScanAdjoint::Gradients))
    return launches;
  for (Value result : scan.getInputCotangents())
    largest = std::max(largest, getRowSize(cast<RankedTensorType>(result.getType())));
  KernelGrid chunks{GridUnit::Chunks, layout->chunk, geometry.getBlocks() * geometry.getGroupedPoints(),
                    layout->threads()};
  int64_t elements = geometry.stateParts;
  for (unsigned dim : geometry.state)
    elements *= geometry.sizes[dim];
  auto perSequence = [](int64_t count) {
    return KernelGrid{GridUnit::Batch, 1, static_cast<int64_t>(llvm::divideCeil(count, gpuThreads)), gpuThreads};
  };
  KernelGrid gradients = chunks;
  gradients.minimumBlocks = std::max<int64_t>(1, 512 / layout->threads() / geometry.stateParts);
  launches.list = {
      {"_states", chunks}, {"_carry", perSequence(elements / geometry.stateParts)}, {"_gradients", gradients}};
  if (sums > 0)
    launches.list.push_back({"_sums", perSequence(largest)});
  launches.workspace = 2 * elements + sums;
  launches.workspaceTokens = layout->chunk;
  return launches;
}

LogicalResult emitTileScanAdjoint(KernelContext &context, Operation *op) {
  auto scan = cast<adj::ScanAdjointOp>(op);
  ScanGeometry geometry = ScanGeometry::get(op, context.getTarget());
  TileLayout layout = *layoutOf(scan, geometry);
  TileScanAdjoint kernel(context, scan, geometry, layout);
  auto launch = static_cast<TileScanAdjoint::Launch>(context.getLaunch());
  if (launch == TileScanAdjoint::Carry) {
    kernel.emitCarries();
    return success();
  }
  if (failed(kernel.build(launch == TileScanAdjoint::Sums ? TileScanAdjoint::Gradients : launch)))
    return failure();
  if (launch == TileScanAdjoint::States)
    kernel.emitStates();
  else if (launch == TileScanAdjoint::Gradients)
    kernel.emitGradients();
  else
    kernel.emitSums();
  return success();
}

} // namespace adjc::scan
