//===- TileScan.cpp - the recurrence, forward, in tiles on a GPU ------------------------------------------------===//
#include "TileKernel.h"
#include "ssm/SsmOps.h"

using namespace mlir;

namespace adjc::scan {

namespace {

class TileScan : public TileKernel {
public:
  enum Launch { States, Carry, Outputs };

  TileScan(KernelContext &context, ssm::ScanOp scan, const ScanGeometry &geometry, const TileLayout &layout)
      : TileKernel(context, geometry, layout), scan(scan) {}

  /// False where the regions do not fit; a failure where they cannot be lowered at all.
  FailureOr<bool> build(bool outputs) {
    SmallVector<PointValue> arguments, step, yielded;
    for (auto [number, input] : llvm::enumerate(scan.getInputs()))
      arguments.push_back({addInput(program, geometry, context, input, scan.getInputMap(number))});
    PointNode *flag = addResetFlag(program, context, scan.getResets());
    PointNode *resetFlag = scan.getResets() ? flag : nullptr;
    arguments.push_back({flag});
    if (failed(program.addRegion(scan.getStep(), arguments, step)))
      return failure();
    PointValue leaf = addElementLeaf(before);
    PointValue after = addStep(program, geometry, step[0], addUnlessReset(program, leaf, resetFlag), step[1]);
    addElementStore(after, next, leaf.re);
    if (!outputs) {
      addElementStore(addUnlessReset(program, step[0], resetFlag), transition, leaf.re);
      return makeEmitter(resetFlag);
    }
    arguments.insert(std::prev(arguments.end()), after);
    if (failed(program.addRegion(scan.getRead(), arguments, yielded)))
      return failure();
    for (auto [number, output] : llvm::enumerate(scan.getOutputs()))
      if (isWritten(output))
        addTileOutput(yielded[number].re, output, scan.getOutputMap(number), nullptr);
    return makeEmitter(resetFlag, /*parkPoints=*/true);
  }

  void emitStates() {
    Value flat = context.workspaceView();
    auto isNeeded = [&](const TileBlock &block) {
      Value spans = b.ceilDiv(context.tokens, layout.chunk * layout.span);
      Value last = b.mul(b.sub(spans, b.index(1)), b.index(layout.span));
      return b.compare(arith::CmpIPredicate::slt, block.firstChunk, last);
    };
    forChunks(isNeeded, [&](const TileBlock &block) {
      ElementValues state = zeros(), product = constants(1);
      SmallVector<Value> last = forTiles(block, flatten({&state, &product}), [&](const Tile &tile, ValueRange carried) {
        return forQuarters(carried, /*reverse=*/false, 4, [&](Value quarter, ValueRange values) {
          ElementValues h = take(values), p = take(values);
          for (int64_t offset = 0; offset < quarterTokens; ++offset) {
            TileSlot slot{quarter, offset};
            ElementValues old = h, oldProduct = p;
            h = step(tile, slot, h);
            p = multiply(transition, p, /*conjugate=*/false);
            h = ifToken(tile, slot, h, old);
            p = ifToken(tile, slot, p, oldProduct);
          }
          return flatten({&h, &p});
        });
      });
      ValueRange rest(last);
      state = take(rest);
      product = take(rest);
      storeElements(product, flat, workspaceBase(0, block.scan.batch, block.firstChunk, block.chunks));
      storeElements(state, flat, workspaceBase(1, block.scan.batch, block.firstChunk, block.chunks));
    });
  }

  void emitCarries() { emitCarry(scan.getInitial(), /*reverse=*/false); }

  void emitOutputs() {
    Value flat = context.workspaceView();
    Value checkpoints = isWritten(scan.getCheckpoints()) ? context.flatView(scan.getCheckpoints()) : Value();
    Value last = isWritten(scan.getFinal()) ? context.flatView(scan.getFinal()) : Value();
    forSpans([&](const TileBlock &block) {
      ElementValues state = loadElements(flat, workspaceBase(1, block.scan.batch, block.firstChunk, block.chunks));
      SmallVector<Value> end = forTiles(block, flatten({&state}), [&](const Tile &tile, ValueRange carried) {
        ElementValues h = take(carried);
        if (checkpoints) {
          Value perSequence = b.ceilDiv(context.tokens, tileTokens);
          Value number = b.add(b.mul(block.scan.batch, perSequence), b.div(tile.first, b.index(tileTokens)));
          storeElements(h, checkpoints, b.mul(number, b.index(stateFloats())));
        }
        return emitOutputTokens(tile, h);
      });
      if (last) {
        ValueRange rest(end);
        state = take(rest);
        Value ends = b.compare(arith::CmpIPredicate::eq, b.add(block.span, b.index(1)), block.spans);
        b.ifThen(ends, [&] { storeElements(state, last, b.mul(block.scan.batch, b.index(stateFloats()))); });
      }
    });
  }

private:
  SmallVector<Value> emitOutputTokens(const Tile &tile, const ElementValues &start) {
    auto quarterOf = [&](Value quarter, ValueRange values) {
      ElementValues h = take(values);
      for (int64_t offset = 0; offset < quarterTokens; ++offset) {
        TileSlot slot{quarter, offset};
        ElementValues old = h;
        h = step(tile, slot, h);
        h = ifToken(tile, slot, h, old);
        emitter->finishToken();
        if ((offset + 1) % emitter->getGroupTokens() == 0)
          emitter->finishGroup();
      }
      return flatten({&h});
    };
    SmallVector<Value> state = flatten({&start});
    if (!tile.plain)
      return forQuarters(state, /*reverse=*/false, 4, quarterOf);
    // One after the other: a quarter's exponentials need not wait for the last one's sums.
    for (int64_t quarter = 0; quarter < 4; ++quarter)
      state = quarterOf(b.index(quarter), state);
    return state;
  }

  bool isWritten(Value result) { return result && context.isOutput(result); }

  SmallVector<Value> forTiles(const TileBlock &block, ValueRange inits,
                              function_ref<SmallVector<Value>(const Tile &, ValueRange)> body) {
    return TileKernel::forTiles(
        block, /*reverse=*/false, inits, [](const Tile &) { return SmallVector<Value>(); }, 0,
        [&](const Tile &tile, ValueRange, ValueRange values) { return body(tile, values); }, [] {});
  }

  ElementValues step(const Tile &tile, const TileSlot &slot, const ElementValues &state) {
    before = state;
    if (all.empty())
      all = tiles->closure(tiles->stores());
    emitter->emitToken(tile, slot, all);
    return next;
  }

  ssm::ScanOp scan;
  ElementValues before, next, transition;
  llvm::DenseSet<const PointNode *> all;
};

/// Blocks of `_outputs` that a processor holds at once: a thread takes up to 64 registers, with two lanes 96.
int64_t residentSpans(const TileLayout &layout) {
  return std::max<int64_t>(1, (layout.laneShare > 1 ? 640 : 1024) / layout.threads());
}

std::optional<TileLayout> layoutOf(adj::KernelOp kernel, ssm::ScanOp scan, const ScanGeometry &geometry) {
  if (scan.getCheckpoints() && scan.getCheckpointEvery() != tileTokens)
    return std::nullopt;
  // What lockstep costs was measured (docs/performance.md).
  auto resident = [&](const TileLayout &layout) { return residentSpans(layout.forSpans(geometry)); };
  return TileLayout::get(geometry, {.perToken = 1.3, .lockstep = 0.1, .residentBlocks = resident},
                         getShardShape(kernel));
}

} // namespace

KernelLaunches tileScanLaunches(adj::KernelOp kernel, Operation *op, KernelTarget target) {
  auto scan = cast<ssm::ScanOp>(op);
  ScanGeometry geometry = ScanGeometry::get(op, target);
  KernelLaunches launches;
  launches.list.push_back({"", geometry.getGrid()});
  std::optional<TileLayout> layout = target == KernelTarget::Gpu ? layoutOf(kernel, scan, geometry) : std::nullopt;
  auto fits = [&](bool outputs) {
    return tryInScratch(kernel, [&](KernelContext &context) {
      TileLayout own = outputs ? layout->forSpans(geometry) : *layout;
      FailureOr<bool> built = TileScan(context, scan, geometry, own).build(outputs);
      return succeeded(built) && *built;
    });
  };
  if (!layout || !fits(false) || !fits(true))
    return launches;
  KernelGrid chunks{GridUnit::Chunks, layout->chunk, geometry.getBlocks() * geometry.getGroupedPoints(),
                    layout->threads()};
  KernelGrid spans = chunks;
  spans.block *= layout->span;
  TileLayout ofSpans = layout->forSpans(geometry);
  spans.threads = ofSpans.threads();
  int64_t elements = geometry.stateParts;
  for (unsigned dim : geometry.state)
    elements *= geometry.sizes[dim];
  launches.list = {{"_states", chunks},
                   {"_carry",
                    {GridUnit::Batch, 1,
                     static_cast<int64_t>(llvm::divideCeil(elements / geometry.stateParts, gpuThreads)), gpuThreads}},
                   {"_outputs", spans}};
  launches.workspace = 2 * elements;
  launches.workspaceTokens = layout->chunk;
  return launches;
}

LogicalResult emitTileScan(KernelContext &context, Operation *op) {
  auto scan = cast<ssm::ScanOp>(op);
  ScanGeometry geometry = ScanGeometry::get(op, context.getTarget());
  TileLayout layout = *layoutOf(context.getKernel(), scan, geometry);
  if (context.getLaunch() == TileScan::Outputs)
    layout = layout.forSpans(geometry);
  TileScan kernel(context, scan, geometry, layout);
  if (context.getLaunch() == TileScan::Carry) {
    kernel.emitCarries();
    return success();
  }
  if (failed(kernel.build(context.getLaunch() == TileScan::Outputs)))
    return failure();
  if (context.getLaunch() == TileScan::States)
    kernel.emitStates();
  else
    kernel.emitOutputs();
  return success();
}

} // namespace adjc::scan
