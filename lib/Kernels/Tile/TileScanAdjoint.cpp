//===- TileScanAdjoint.cpp - the recurrence's adjoint, in tiles on a GPU ----------------------------------------===//
//
// A tile begins at a checkpoint. From there the states at its quarters are computed and put aside, then quarter by
// quarter, the last one first: its states again, which stay in registers for the way back, and so do the values of its
// functions, which cost most.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "ThreadMemory.h"
#include "TileKernel.h"
#include "TileTokenSums.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace adjc::scan {

namespace {

/// Threads of `_gradients` that a processor shall hold at once, with one lane each (half of them where a state is
/// complex and takes twice the registers) and with two.
constexpr int64_t gradientThreads = 512, twoLaneThreads = 256;

/// Blocks of `_gradients` that a processor shall hold at once.
int64_t residentBlocks(const ScanGeometry &geometry, const TileLayout &layout) {
  int64_t threads = layout.laneShare > 1 ? twoLaneThreads : gradientThreads / geometry.stateParts;
  return std::max<int64_t>(1, threads / layout.threads());
}

class TileScanAdjoint : public TileKernel {
public:
  enum Launch { States, Carry, Gradients, Sums };

  TileScanAdjoint(KernelContext &context, adj::ScanAdjointOp scan, const ScanGeometry &geometry,
                  const TileLayout &layout)
      : TileKernel(context, geometry, layout), scan(scan),
        tokenSums(context, geometry, layout, registers, stateFloats(),
                  [this](AffineMap map, const PointIndex &index) { return partialIndices(map, index); }) {}

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
    // The last launch has no tokens, and reserves no shared memory for them.
    bool fits = launch == Sums ? makeProgram() : makeEmitter(resetFlag, /*parkPoints=*/true);
    return fits && tokenSums.place(*tiles);
  }

  /// Floats of workspace per sequence and span, for the token sums.
  int64_t tokenSumFloats() const { return tokenSums.workspaceFloats(); }

  void emitStates() {
    Value flat = context.workspaceView();
    auto isNeeded = [&](const TileBlock &block) {
      return b.compare(arith::CmpIPredicate::sge, block.firstChunk, b.index(layout.span));
    };
    forChunks(isNeeded, [&](const TileBlock &block) {
      ElementValues c = zeros(), product = constants(1);
      auto all = tiles->closure(tiles->stores());
      auto tokens = [&](const Tile &tile, ValueRange, ValueRange carried) {
        return forQuarters(carried, /*reverse=*/true, 4, [&](Value quarter, ValueRange values) {
          ElementValues value = take(values), p = take(values);
          for (int64_t offset = quarterTokens; offset-- > 0;) {
            TileSlot slot{quarter, offset};
            cotangent = value;
            emitter->emitToken(tile, slot, all);
            // Its conjugate is taken by the carry.
            ElementValues nextProduct = multiply(transition, p, /*conjugate=*/false);
            value = ifToken(tile, slot, nextCotangent, value);
            p = ifToken(tile, slot, nextProduct, p);
          }
          return flatten({&value, &p});
        });
      };
      SmallVector<Value> last = forTiles(
          block, /*reverse=*/true, flatten({&c, &product}), [](const Tile &) { return SmallVector<Value>(); }, 0,
          tokens, [] {});
      ValueRange rest(last);
      c = take(rest);
      product = take(rest);
      storeElements(product, flat, workspaceBase(0, block.scan.batch, block.firstChunk, block.chunks));
      storeElements(c, flat, workspaceBase(1, block.scan.batch, block.firstChunk, block.chunks));
    });
  }

  void emitCarries() { emitCarry(scan.getStateCotangent(), /*reverse=*/true); }

  void emitGradients() {
    Value flat = context.workspaceView();
    checkpoints = context.flatView(scan.getCheckpoints());
    recomputed = tiles->closure(recomputeStores);
    SmallVector<const PointNode *> others = llvm::filter_to_vector(
        tiles->stores(), [&](const PointNode *store) { return !llvm::is_contained(recomputeStores, store); });
    for (const PointNode *sum : tiles->inStage(TileStage::InnerSum))
      others.push_back(sum);
    reversed = tiles->closure(others);
    tokenSums.makeShared();
    readsLate = true;
    int64_t stateValues = static_cast<int64_t>(parts()) * layout.elements();
    quarterStates.emplace(b, 3, layout.threads(), stateValues, b.getF32Type());
    Value first = isWritten(scan.getNextStateCotangent()) ? context.flatView(scan.getNextStateCotangent()) : Value();
    forSpans([&](const TileBlock &block) {
      ElementValues c = loadElements(flat, workspaceBase(1, block.scan.batch, block.lastChunk, block.chunks));
      SmallVector<Value> inits = flatten({&c});
      llvm::append_range(inits, tokenSums.beginSpan(block.thread));
      SmallVector<Value> last = forTiles(
          block, /*reverse=*/true, inits, [&](const Tile &tile) { return readCheckpoint(tile); }, stateValues,
          [&](const Tile &tile, ValueRange start, ValueRange carried) { return emitReverse(tile, start, carried); },
          [&] { tokenSums.endPoints(block.thread); });
      ValueRange rest(last);
      c = take(rest);
      if (first) {
        Value begins = b.compare(arith::CmpIPredicate::eq, block.span, b.index(0));
        b.ifThen(begins, [&] { storeElements(c, first, b.mul(block.scan.batch, b.index(stateFloats()))); });
      }
      tokenSums.endSpan(block, *emitter, rest);
    });
  }

  void emitSums() { tokenSums.emitSums(); }

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
    tokenSums.add(program, node, map, result);
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

  SmallVector<Value> readCheckpoint(const Tile &tile) {
    Value perSequence = b.ceilDiv(context.tokens, tileTokens);
    Value number = b.add(b.mul(emitter->getBlock().scan.batch, perSequence), b.div(tile.first, b.index(tileTokens)));
    ElementValues start = readElements(checkpoints, b.mul(number, b.index(stateFloats())));
    return flatten({&start});
  }

  /// The sequential part of a tile, from its checkpoint. Carried are the state's cotangent and the totals of the token
  /// sums.
  SmallVector<Value> emitReverse(const Tile &tile, ValueRange start, ValueRange carried) {
    Value thread = emitter->getBlock().thread;
    constexpr int64_t last = 3;
    ElementValues checkpoint = inOwnOrder(take(start));
    SmallVector<Value> inits =
        forQuarters(flatten({&checkpoint}), /*reverse=*/false, last, [&](Value quarter, ValueRange values) {
          quarterStates->write(quarter, thread, values);
          ElementValues state = take(values);
          for (int64_t offset = 0; offset < quarterTokens; ++offset)
            state = advance(tile, {quarter, offset}, state, nullptr);
          return flatten({&state});
        });
    // What a quarter begins with comes along: the last one's from the way here, the others' from where it was put.
    size_t stateValues = inits.size();
    llvm::append_range(inits, carried);
    SmallVector<Value> all = forQuarters(inits, /*reverse=*/true, last + 1, [&](Value quarter, ValueRange values) {
      Value previous = b.max(b.sub(quarter, b.index(1)), b.index(0));
      SmallVector<Value> nextStart = quarterStates->read(previous, thread);
      ElementValues state = take(values);
      llvm::append_range(nextStart, emitQuarter(tile, quarter, state, values));
      return nextStart;
    });
    return SmallVector<Value>(ArrayRef(all).drop_front(stateValues));
  }

  SmallVector<Value> emitQuarter(const Tile &tile, Value quarter, const ElementValues &start, ValueRange carried) {
    ElementValues c = take(carried);
    tokenSums.beginTokens();
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
    llvm::append_range(next, tokenSums.endTokens(carried));
    return next;
  }

  adj::ScanAdjointOp scan;
  ElementValues before, after, cotangent, nextCotangent, nextState, transition;
  SmallVector<const PointNode *> recomputeStores;
  llvm::DenseSet<const PointNode *> recomputed, reversed;
  TileTokenSums tokenSums;
  Value checkpoints;
  std::optional<ThreadMemory> quarterStates; ///< what the tile's quarters but the last begin with
};

std::optional<TileLayout> layoutOf(adj::KernelOp kernel, adj::ScanAdjointOp scan, const ScanGeometry &geometry) {
  if (scan.getCheckpointEvery() != tileTokens)
    return std::nullopt;
  auto resident = [&](const TileLayout &layout) { return residentBlocks(geometry, layout.forSpans(geometry)); };
  return TileLayout::get(geometry, {.perToken = 4, .lockstep = 0, .residentBlocks = resident}, getShardShape(kernel));
}

} // namespace

KernelLaunches tileScanAdjointLaunches(adj::KernelOp kernel, Operation *op, KernelTarget target) {
  auto scan = cast<adj::ScanAdjointOp>(op);
  ScanGeometry geometry = ScanGeometry::get(op, target);
  KernelLaunches launches;
  launches.list.push_back({"", geometry.getGrid()});
  std::optional<TileLayout> layout = target == KernelTarget::Gpu ? layoutOf(kernel, scan, geometry) : std::nullopt;
  int64_t sums = 0, largest = 1;
  auto fits = [&](TileScanAdjoint::Launch launch) {
    return tryInScratch(kernel, [&](KernelContext &context) {
      bool gradients = launch == TileScanAdjoint::Gradients;
      TileLayout own = gradients ? layout->forSpans(geometry) : *layout;
      TileScanAdjoint adjoint(context, scan, geometry, own);
      FailureOr<bool> built = adjoint.build(launch);
      if (gradients)
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
  gradients.block *= layout->span;
  gradients.threads = layout->forSpans(geometry).threads();
  gradients.minimumBlocks = residentBlocks(geometry, layout->forSpans(geometry));
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
  auto launch = static_cast<TileScanAdjoint::Launch>(context.getLaunch());
  TileLayout layout = *layoutOf(context.getKernel(), scan, geometry);
  if (launch == TileScanAdjoint::Gradients)
    layout = layout.forSpans(geometry);
  TileScanAdjoint kernel(context, scan, geometry, layout);
  if (launch == TileScanAdjoint::Carry) {
    kernel.emitCarries();
    return success();
  }
  if (failed(kernel.build(launch)))
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
