//===- EmitScanAdjoint.cpp - the recurrence's adjoint -----------------------------------------------------------===//
//
// One group per sequence, point of the grouped dimensions and block of lanes runs over the chunks from the last to the
// first: it recomputes a chunk's states from its checkpoint, then runs over the chunk's tokens in reverse: p is the
// cotangent of a token's state, c = A^T p what it hands to the token before. Sums over the tokens have two levels, the
// chunk and the whole.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "KeptValues.h"
#include "PointEmitter.h"
#include "ScanOperands.h"
#include "Tile/TileKernel.h"
#include "adjc/Kernels/Emitters.h"

using namespace mlir;
using namespace adjc;
using namespace adjc::scan;

namespace {

/// The cotangent of an input that does not vary over the tokens: summed over them in scratch.
struct TokenSum {
  Value result; ///< the tensor
  AffineMap map;
  Value chunk, total; ///< scratch
};

class AdjointEmitter {
public:
  AdjointEmitter(KernelContext &context, adj::ScanAdjointOp scan, const ScanGeometry &geometry)
      : context(context), b(context.b), scan(scan), geometry(geometry), scratch(b, geometry),
        recompute(geometry.lane, geometry.groupedSet), reverse(geometry.lane, geometry.groupedSet),
        every(scan.getCheckpointEvery()) {}

  LogicalResult emit() {
    for (unsigned part = 0; part < geometry.stateParts; ++part) {
      cotangent.push_back(scratch.make(geometry.stateSet, geometry.stateType));
      states.push_back(scratch.make(geometry.stateSet, geometry.stateType, every + 1));
    }
    if (failed(buildRecompute()) || failed(buildReverse()))
      return failure();
    if (geometry.splitsLanes() && (failed(recompute.verifyLaneSums(scan, /*partial=*/false)) ||
                                   failed(reverse.verifyLaneSums(scan, /*partial=*/true))))
      return failure();
    // A GPU computes a value again sooner than it fetches it from a thread's own memory.
    if (!geometry.threads)
      keepCostlyValues(recompute, reverse, geometry, scratch, every);
    PointEmitter forwardPoints(b, recompute, geometry, scratch), reversePoints(b, reverse, geometry, scratch);
    if (failed(scratch.check(scan)))
      return failure();
    checkpoints = context.fullView(scan.getCheckpoints());
    if (scan.getStateCotangent())
      stateCotangent = context.fullView(scan.getStateCotangent());
    if (isWritten(scan.getNextStateCotangent()))
      nextStateCotangent = context.fullView(scan.getNextStateCotangent());
    for (TokenSum &sum : tokenSums)
      sum.result = context.fullView(sum.result);
    SmallVector<Value> tensors(scan.getInputs());
    llvm::append_range(tensors, scan.getCotangents());
    for (auto [number, tensor] : llvm::enumerate(tensors))
      views.push_back({context.fullView(tensor), getMap(number)});
    context.forGroups([&](Value group) { emitGroup(makeBlock(b, geometry, group), forwardPoints, reversePoints); });
    return success();
  }

private:
  bool isWritten(Value result) { return result && context.isOutput(result); }
  AffineMap getMap(unsigned number) { return cast<AffineMapAttr>(scan.getIndexingMaps()[number]).getValue(); }

  SmallVector<PointValue> addInputs(PointProgram &program) {
    SmallVector<PointValue> values;
    for (auto [number, input] : llvm::enumerate(scan.getInputs()))
      values.push_back({addInput(program, geometry, context, input, getMap(number))});
    return values;
  }

  /// The index of states: after `slot` + offset tokens of the chunk.
  std::function<SmallVector<Value>(const PointIndex &)> afterTokens(int64_t offset) {
    return [=, this](const PointIndex &index) {
      return SmallVector<Value>{offset ? b.add(index.slot, b.index(offset)) : index.slot};
    };
  }

  LogicalResult buildRecompute() {
    SmallVector<PointValue> arguments = addInputs(recompute), step;
    PointNode *flag = addResetFlag(recompute, context, scan.getResets());
    arguments.push_back({flag});
    if (failed(recompute.addRegion(scan.getStep(), arguments, step)))
      return failure();
    PointValue before = addStateLeaf(recompute, geometry, states, /*before=*/true, afterTokens(0));
    before = addUnlessReset(recompute, before, scan.getResets() ? flag : nullptr);
    addStateStore(recompute, geometry, addStep(recompute, geometry, step[0], before, step[1]), states, /*before=*/false,
                  afterTokens(1));
    return success();
  }

  LogicalResult buildReverse() {
    SmallVector<PointValue> arguments = addInputs(reverse), yielded;
    for (auto [number, tensor] : llvm::enumerate(scan.getCotangents()))
      arguments.push_back({addCotangent(reverse, geometry, context, tensor, getMap(scan.getInputs().size() + number))});
    PointNode *flag = addResetFlag(reverse, context, scan.getResets());
    PointNode *resetFlag = scan.getResets() ? flag : nullptr;
    PointValue before = addStateLeaf(reverse, geometry, states, /*before=*/true, afterTokens(0));
    arguments.push_back(addUnlessReset(reverse, before, resetFlag));
    arguments.push_back(addStateLeaf(reverse, geometry, states, /*before=*/false, afterTokens(1)));
    arguments.push_back(addStateLeaf(reverse, geometry, cotangent, /*before=*/false));
    arguments.push_back({flag});
    if (failed(reverse.addRegion(scan.getAdjoint(), arguments, yielded)))
      return failure();
    // The next state cotangent takes the place of the one it is made of: every reader of that one comes before.
    addStateStore(reverse, geometry, addUnlessReset(reverse, yielded.front(), resetFlag), cotangent, /*before=*/true);
    for (auto [value, number, result] :
         llvm::zip_equal(ArrayRef(yielded).drop_front(), scan.getDifferentiated(), scan.getInputCotangents()))
      if (isWritten(result))
        addContribution(value.re, getMap(number), result);
    return success();
  }

  void addContribution(PointNode *node, AffineMap map, Value result) {
    if (contains(dimsOf(map), tokenDim))
      return addOutput(reverse, geometry, context, node, result, map,
                       [=, this](const PointIndex &index) { return partialIndices(map, index); });
    TokenSum sum{result, map, scratch.make(dimsOf(map), node->type), scratch.make(dimsOf(map), node->type)};
    tokenSums.push_back(sum);
    reverse.addStore(
        node, dimsOf(map) | dimBit(batchDim) | dimBit(tokenDim),
        [=, this](KernelBuilder &b, const PointIndex &index, ValueRange values) {
          SmallVector<Value> place = geometry.scratchIndices(dimsOf(map), index);
          storeLanes(b, b.add(loadLanes(b, sum.chunk, place, getWidth(values[0])), values[0]), sum.chunk, place);
          return Value();
        },
        /*copied=*/false);
  }

  /// Leading indices of a partial sum: the group's number among those that sum for the same place, and the sequence,
  /// where the input lacks the batch.
  SmallVector<Value> partialIndices(AffineMap map, const PointIndex &index) {
    SmallVector<Value> indices;
    if (std::optional<Value> number = geometry.partialNumber(b, dimsOf(map), index))
      indices.push_back(*number);
    if (!contains(dimsOf(map), batchDim))
      indices.push_back(index.dims[batchDim]);
    return indices;
  }

  void emitGroup(const ScanBlock &block, PointEmitter &forwardPoints, PointEmitter &reversePoints) {
    PointIndex index = makeIndex(geometry, block);
    forwardPoints.emitHoisted(block, index);
    reversePoints.emitHoisted(block, index);
    for (Value part : cotangent)
      scratch.fillZero(part);
    if (stateCotangent)
      loadStates(b, geometry, block, stateCotangent, block.batch, cotangent, {});
    if (geometry.hasPartialVectors())
      for (Value part : states)
        scratch.fillZero(part);
    for (const TokenSum &sum : tokenSums) {
      scratch.fillZero(sum.chunk);
      scratch.fillZero(sum.total);
    }
    b.reverseLoop(b.index(0), b.ceilDiv(context.tokens, every), {}, [&](Value chunk, ValueRange) {
      emitChunk(block, index, chunk, forwardPoints, reversePoints);
      return SmallVector<Value>();
    });
    if (nextStateCotangent)
      storeStates(b, geometry, block, nextStateCotangent, block.batch, cotangent);
    for (const TokenSum &sum : tokenSums)
      forPoints(b, geometry, block, dimsOf(sum.map), index, isStrided(geometry, sum.map), [&](const PointIndex &point) {
        SmallVector<Value> indices = partialIndices(sum.map, point);
        llvm::append_range(indices, mapIndices(sum.map, point));
        auto write = [&] {
          b.store(b.load(sum.total, geometry.scratchIndices(dimsOf(sum.map), point)), sum.result, indices);
        };
        // Without lanes every thread has the sum.
        if (contains(dimsOf(sum.map), geometry.lane))
          write();
        else
          b.once(write);
      });
  }

  void emitChunk(const ScanBlock &block, PointIndex index, Value chunk, PointEmitter &forwardPoints,
                 PointEmitter &reversePoints) {
    Value first = b.mul(chunk, b.index(every));
    Value count = b.min(b.index(every), b.sub(context.tokens, first));
    loadStates(b, geometry, block, checkpoints, {block.batch, chunk}, states, b.index(0));
    b.loop(b.index(0), count, 1, [&](Value slot) {
      // All that the chunk needs, the cotangents too: the way back finds it in the cache.
      if (!geometry.threads) {
        index.dims[tokenDim] =
            b.min(b.add(first, b.add(slot, b.index(prefetchDistance))), b.sub(context.tokens, b.index(1)));
        for (auto [view, map] : views)
          prefetchRow(b, geometry, block, view, map, index);
      }
      index.slot = slot;
      index.dims[tokenDim] = b.add(first, slot);
      forwardPoints.emitToken(block, index);
    });
    b.reverseLoop(b.index(0), count, {}, [&](Value slot, ValueRange) {
      index.slot = slot;
      index.dims[tokenDim] = b.add(first, slot);
      reversePoints.emitToken(block, index);
      return SmallVector<Value>();
    });
    for (const TokenSum &sum : tokenSums)
      scratch.moveInto(sum.total, sum.chunk);
  }

  KernelContext &context;
  KernelBuilder &b;
  adj::ScanAdjointOp scan;
  const ScanGeometry &geometry;
  ScanScratch scratch;
  PointProgram recompute, reverse;
  int64_t every;
  /// states[i]: after i tokens of the chunk. cotangent: c, what the future says about the state after the current
  /// token.
  StateScratch states, cotangent;
  Value checkpoints, stateCotangent, nextStateCotangent;
  SmallVector<TokenSum> tokenSums;
  SmallVector<std::pair<Value, AffineMap>> views; ///< of the inputs and cotangents
};

} // namespace

static FailureOr<KernelGrid> scanAdjointGrid(Operation *op, KernelTarget target) {
  return ScanGeometry::get(op, target).getGrid();
}

static LogicalResult emitScanAdjoint(KernelContext &context, Operation *op) {
  if (context.hasLaunches())
    return emitTileScanAdjoint(context, op);
  ScanGeometry geometry = ScanGeometry::get(op, context.getTarget());
  return AdjointEmitter(context, cast<adj::ScanAdjointOp>(op), geometry).emit();
}

const KernelEmitter adjc::scanAdjointEmitter{"adj.scan_adjoint",    scanAdjointGrid,
                                             emitScanAdjoint,       /*tied=*/nullptr,
                                             /*accumulates=*/false, tileScanAdjointLaunches};
