//===- EmitScan.cpp - the recurrence, forward -------------------------------------------------------------------===//
//
// One group per sequence, point of the grouped dimensions and block of lanes runs over the tokens with its state in
// scratch.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "PointEmitter.h"
#include "ScanOperands.h"
#include "Tile/TileKernel.h"
#include "adjc/Kernels/Emitters.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;
using namespace adjc::scan;

namespace {

class ForwardEmitter {
public:
  ForwardEmitter(KernelContext &context, ssm::ScanOp scan, const ScanGeometry &geometry)
      : context(context), b(context.b), scan(scan), geometry(geometry), scratch(b, geometry),
        program(geometry.lane, geometry.groupedSet) {}

  LogicalResult emit() {
    for (unsigned part = 0; part < geometry.stateParts; ++part)
      state.push_back(scratch.make(geometry.stateSet, geometry.stateType));
    // Where a sum over the lanes is needed a block holds all of them (ssm::getScanCut).
    if (failed(buildProgram()))
      return failure();
    PointEmitter points(b, program, geometry, scratch);
    if (failed(scratch.check(scan)))
      return failure();
    if (isWritten(scan.getFinal()))
      final = context.fullView(scan.getFinal());
    if (isWritten(scan.getCheckpoints()))
      checkpoints = context.fullView(scan.getCheckpoints());
    if (scan.getInitial())
      initial = context.fullView(scan.getInitial());
    for (auto [number, input] : llvm::enumerate(scan.getInputs()))
      views.push_back({context.fullView(input), scan.getInputMap(number)});
    context.forGroups([&](Value group) { emitGroup(makeBlock(b, geometry, group), points); });
    return success();
  }

private:
  bool isWritten(Value result) { return result && context.isOutput(result); }

  LogicalResult buildProgram() {
    SmallVector<PointValue> arguments, step, outputs;
    for (auto [number, input] : llvm::enumerate(scan.getInputs()))
      arguments.push_back({addInput(program, geometry, context, input, scan.getInputMap(number))});
    PointNode *flag = addResetFlag(program, context, scan.getResets());
    arguments.push_back({flag});
    if (failed(program.addRegion(scan.getStep(), arguments, step)))
      return failure();
    PointValue before = addStateLeaf(program, geometry, state, /*before=*/true);
    before = addUnlessReset(program, before, scan.getResets() ? flag : nullptr);
    PointValue after = addStep(program, geometry, step[0], before, step[1]);
    addStateStore(program, geometry, after, state, /*before=*/false);
    arguments.insert(std::prev(arguments.end()), after);
    if (failed(program.addRegion(scan.getRead(), arguments, outputs)))
      return failure();
    for (auto [number, output] : llvm::enumerate(scan.getOutputs()))
      if (isWritten(output))
        addRead(outputs[number].re, output, scan.getOutputMap(number));
    return success();
  }

  void addRead(PointNode *node, Value output, AffineMap map) {
    addOutput(program, geometry, context, node, output, map, [](const PointIndex &) { return SmallVector<Value>(); });
  }

  void emitGroup(const ScanBlock &block, PointEmitter &points) {
    PointIndex index = makeIndex(geometry, block);
    points.emitHoisted(block, index);
    for (Value part : state)
      scratch.fillZero(part);
    if (initial)
      loadStates(b, geometry, block, initial, block.batch, state, {});
    b.loop(b.index(0), context.tokens, 1, [&](Value token) {
      index.dims[tokenDim] = token;
      if (checkpoints) {
        int64_t every = *scan.getCheckpointEvery();
        Value due = b.compare(arith::CmpIPredicate::eq, b.remainder(token, b.index(every)), b.index(0));
        b.ifThen(due, [&] {
          storeStates(b, geometry, block, checkpoints, {block.batch, b.div(token, b.index(every))}, state);
        });
      }
      if (!geometry.threads) {
        index.dims[tokenDim] = b.min(b.add(token, b.index(prefetchDistance)), b.sub(context.tokens, b.index(1)));
        for (auto [view, map] : views)
          prefetchRow(b, geometry, block, view, map, index);
      }
      index.dims[tokenDim] = token;
      points.emitToken(block, index);
    });
    if (final)
      storeStates(b, geometry, block, final, block.batch, state);
  }

  KernelContext &context;
  KernelBuilder &b;
  ssm::ScanOp scan;
  const ScanGeometry &geometry;
  ScanScratch scratch;
  PointProgram program;
  StateScratch state;
  Value initial, final, checkpoints;
  SmallVector<std::pair<Value, AffineMap>> views; ///< of the inputs
};

} // namespace

static FailureOr<KernelGrid> scanGrid(Operation *op, KernelTarget target) {
  return ScanGeometry::get(op, target).getGrid();
}

static LogicalResult emitScan(KernelContext &context, Operation *op) {
  if (context.hasLaunches())
    return emitTileScan(context, op);
  ScanGeometry geometry = ScanGeometry::get(op, context.getTarget());
  return ForwardEmitter(context, cast<ssm::ScanOp>(op), geometry).emit();
}

const KernelEmitter adjc::scanEmitter{"ssm.scan",      scanGrid, emitScan, /*tied=*/nullptr, /*accumulates=*/false,
                                      tileScanLaunches};
