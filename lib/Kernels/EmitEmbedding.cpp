//===- EmitEmbedding.cpp - embedding and its adjoint ------------------------------------------------------------===//
#include "adjc/Kernels/Emitters.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;

/// Channels per group of the adjoint: a group owns these columns of the table's gradient.
static constexpr int64_t channelBlock = 32;
/// Rows of a chunk of the adjoint.
static constexpr int64_t rowChunk = 64;

/// The table's row for a token. The runtime checks tokens against the vocabulary before it runs a program.
static Value loadToken(KernelBuilder &b, Value tokens, Value row) {
  return arith::IndexCastOp::create(b, b.getIndexType(), b.load(tokens, row));
}

static FailureOr<KernelGrid> embeddingGrid(Operation *, KernelTarget target) {
  return makeGrid(target, GridUnit::Rows, getRowsPerGroup(target));
}

static LogicalResult emitEmbedding(KernelContext &ctx, Operation *op) {
  auto embedding = cast<ssm::EmbeddingOp>(op);
  KernelBuilder &b = ctx.b;
  int64_t channels = getRowSize(cast<RankedTensorType>(embedding.getResult().getType()));
  Value tokens = ctx.rowsView(embedding.getTokens()), table = ctx.fullView(embedding.getTable());
  Value result = ctx.rowsView(embedding.getResult());
  Value zero = b.index(0), end = b.index(channels);
  ctx.forRows(getRowsPerGroup(ctx.getTarget()), [&](Value row) {
    Value token = loadToken(b, tokens, row);
    forLanes(b, zero, end, channels % laneCount == 0,
             [&](const Lanes &lanes, Value c) { lanes.store(lanes.load(table, {token, c}), result, {row, c}); });
  });
  return success();
}

static FailureOr<KernelGrid> adjointGrid(Operation *op, KernelTarget target) {
  int64_t channels = cast<RankedTensorType>(op->getResult(0).getType()).getShape().back();
  if (target == KernelTarget::Gpu)
    return makeGrid(target, GridUnit::Rows, 1);
  return makeGrid(target, GridUnit::One, 1, llvm::divideCeil(channels, channelBlock));
}

/// On a GPU a group is a row: the first one of its token sums, in order, all rows that have it.
static void emitRowAdjoint(KernelContext &ctx, adj::EmbeddingAdjointOp adjoint, int64_t channels) {
  KernelBuilder &b = ctx.b;
  Value tokens = ctx.rowsView(adjoint.getTokens()), cotangent = ctx.rowsView(adjoint.getCotangent());
  Value table = ctx.fullView(adjoint.getDtable());
  Value sums = b.workspace({channels}, b.getF32Type()), same = b.workspace({b.getThreads()}, b.getI8Type());
  Value zero = b.index(0), one = b.index(1), end = b.index(channels), threads = b.index(b.getThreads());
  ctx.forGroups([&](Value row) {
    Value token = b.load(tokens, row);
    auto isSame = [&](Value other) { return b.compare(arith::CmpIPredicate::eq, b.load(tokens, other), token); };
    auto asNumber = [&](Value flag) { return b.select(flag, b.f32(1), b.f32(0)); };
    auto isZero = [&](Value number) {
      return arith::CmpFOp::create(b, arith::CmpFPredicate::OLE, number, b.f32(0)).getResult();
    };
    Value earlier = reduceLanes(b, zero, row, false, Reduction::Maximum, 1, [&](const Lanes &, Value other) {
      return SmallVector<Value>{asNumber(isSame(other))};
    })[0];
    b.ifThen(isZero(earlier), [&] {
      b.spread(zero, end, [&](Value c) { b.store(Lanes(b, 1).load(cotangent, {row, c}), sums, c); });
      b.loop(b.add(row, one), ctx.rows, b.getThreads(), [&](Value first) {
        Value count = b.min(threads, b.sub(ctx.rows, first));
        Value mine = b.add(first, b.threadNumber());
        Value hit = b.ifElse(
            b.getF32Type(), b.compare(arith::CmpIPredicate::slt, mine, ctx.rows),
            [&] { return SmallVector<Value>{asNumber(isSame(mine))}; },
            [&] { return SmallVector<Value>{b.f32(0)}; })[0];
        Value any = reduceThreads(b, Reduction::Maximum, hit)[0];
        b.ifThen(
            isZero(any), [] {},
            [&] {
              Value flag = arith::FPToUIOp::create(b, b.getI8Type(), hit);
              b.store(flag, same, b.threadNumber());
              b.barrier();
              b.loop(zero, count, 1, [&](Value later) {
                Value chosen = b.load(same, later);
                b.ifThen(b.compare(arith::CmpIPredicate::ne, chosen, b.constant(chosen.getType(), 0)), [&] {
                  b.spread(zero, end, [&](Value c) {
                    Value value = Lanes(b, 1).load(cotangent, {b.add(first, later), c});
                    b.store(b.add(b.load(sums, c), value), sums, c);
                  });
                });
              });
              b.barrier();
            });
      });
      Value target = arith::IndexCastOp::create(b, b.getIndexType(), token);
      b.spread(zero, end, [&](Value c) { ctx.write(Lanes(b, 1), b.load(sums, c), table, {target, c}); });
    });
  });
}

/// Rows in order, in chunks: rows of a chunk that have the same token are summed before the table's row is
/// touched, so that the sum over a frequent token's rows has two levels.
static LogicalResult emitEmbeddingAdjoint(KernelContext &ctx, Operation *op) {
  auto adjoint = cast<adj::EmbeddingAdjointOp>(op);
  KernelBuilder &b = ctx.b;
  if (!ctx.getKernel().getAccumulate())
    return op->emitOpError()
           << "must be in a kernel that accumulates: it adds to some rows and leaves the others alone";
  int64_t channels = getRowSize(cast<RankedTensorType>(adjoint.getCotangent().getType()));
  if (ctx.getTarget() == KernelTarget::Gpu) {
    emitRowAdjoint(ctx, adjoint, channels);
    return success();
  }
  bool multiple = channels % laneCount == 0;
  Value tokens = ctx.rowsView(adjoint.getTokens()), cotangent = ctx.rowsView(adjoint.getCotangent());
  Value table = ctx.fullView(adjoint.getDtable());
  Value sums = b.workspace({channelBlock}, b.getF32Type());
  Value zero = b.index(0), one = b.index(1);
  ctx.forGroups([&](Value group) {
    Value first = b.mul(group, b.index(channelBlock));
    Value count = b.min(b.index(channelBlock), b.sub(b.index(channels), first));
    b.loop(zero, ctx.rows, rowChunk, [&](Value chunk) {
      Value chunkEnd = b.min(b.add(chunk, b.index(rowChunk)), ctx.rows);
      b.loop(chunk, chunkEnd, 1, [&](Value row) {
        Value token = b.load(tokens, row);
        auto isSame = [&](Value other) { return b.compare(arith::CmpIPredicate::eq, b.load(tokens, other), token); };
        Value no = b.constant(b.getI1Type(), 0);
        Value seen = b.loop(chunk, row, 1, no, [&](Value earlier, ValueRange found) {
          return SmallVector<Value>{b.logicalOr(found[0], isSame(earlier))};
        })[0];
        b.ifThen(b.compare(arith::CmpIPredicate::eq, seen, no), [&] {
          forLanes(b, zero, count, multiple, [&](const Lanes &lanes, Value c) {
            lanes.store(lanes.load(cotangent, {row, b.add(first, c)}), sums, c);
          });
          b.loop(b.add(row, one), chunkEnd, 1, [&](Value later) {
            b.ifThen(isSame(later), [&] {
              forLanes(b, zero, count, multiple, [&](const Lanes &lanes, Value c) {
                Value sum = b.add(lanes.load(sums, c), lanes.load(cotangent, {later, b.add(first, c)}));
                lanes.store(sum, sums, c);
              });
            });
          });
          Value target = arith::IndexCastOp::create(b, b.getIndexType(), token);
          forLanes(b, zero, count, multiple, [&](const Lanes &lanes, Value c) {
            ctx.write(lanes, lanes.load(sums, c), table, {target, b.add(first, c)});
          });
        });
      });
    });
  });
  return success();
}

const KernelEmitter adjc::embeddingEmitter{"ssm.embedding", embeddingGrid, emitEmbedding};
const KernelEmitter adjc::embeddingAdjointEmitter{"adj.embedding_adjoint", adjointGrid, emitEmbeddingAdjoint,
                                                  /*tied=*/nullptr, /*accumulates=*/true};
