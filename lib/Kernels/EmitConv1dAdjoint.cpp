//===- EmitConv1dAdjoint.cpp - the convolution's adjoint --------------------------------------------------------===//
#include "Conv1d.h"
#include "Conv1dWindow.h"

using namespace mlir;
using namespace adjc;
using arith::CmpIPredicate;

/// Tokens whose contributions to the weight's cotangent are summed before they join the sum of all.
static constexpr int64_t tokenChunk = 64;

namespace {
/// The views of one adjoint kernel; null where the operand or result is absent.
struct Views {
  Value x, weight, dy, tail, tailCotangent, resets, dx, dweight, dbias, nextTailCotangent;
  Value weights, chunkSums, sums; ///< workspaces: [k, c]; the sums have one more row, the bias's
  Value position;                 ///< workspace: [c], of one position's cotangent
};
} // namespace

/// Cotangents of positions tokens-1 .. -(W-1): cotangent[s] = sum of w[k] dy[t] over the tokens t = s + W-1-k before
/// the next reset, plus what the handed-over tail says about s when no reset follows s.
static void emitInputCotangents(ConvGroup &g, const Views &v) {
  KernelContext &ctx = g.ctx;
  KernelBuilder &b = g.b;
  int64_t width = g.width;
  Value zero = b.index(0);
  /// One position, written to `target`. `end`: the first reset after s, or `tokens`.
  auto emitPosition = [&](Value s, Value end, Value target, Value row, bool received) {
    auto general = [&] {
      // The target may round what is written to it: the sum is made elsewhere.
      g.forChannels([&](const Lanes &lanes, Value c) { lanes.store(lanes.constant(0), v.position, c); });
      auto addTo = [&](const Lanes &lanes, Value c, Value value) {
        lanes.store(b.add(lanes.load(v.position, c), value), v.position, c);
      };
      auto finish = [&] {
        g.forChannels([&](const Lanes &lanes, Value c) {
          lanes.store(lanes.load(v.position, c), target, {g.sequence, row, g.channel(c)});
        });
      };
      // Tokens s .. s+W-1 look back to s; those before the shard are not ours.
      Value first = b.max(s, zero), last = b.min(b.add(s, b.index(width)), end);
      b.loop(first, last, 1, [&](Value t) {
        Value k = b.sub(b.index(width - 1), b.sub(t, s));
        g.forChannels([&](const Lanes &lanes, Value c) {
          Value value = b.mul(lanes.load(v.weights, {k, c}), lanes.load(v.dy, {g.sequence, t, g.channel(c)}));
          addTo(lanes, c, value);
        });
      });
      if (!v.tailCotangent)
        return finish();
      Value j = b.sub(s, b.sub(ctx.tokens, b.index(width - 1)));
      Value handedOver =
          b.logicalAnd(b.compare(CmpIPredicate::sge, j, zero), b.compare(CmpIPredicate::eq, end, ctx.tokens));
      b.ifThen(handedOver, [&] {
        g.forChannels([&](const Lanes &lanes, Value c) {
          addTo(lanes, c, lanes.load(v.tailCotangent, {g.sequence, j, g.channel(c)}));
        });
      });
      finish();
    };
    if (received)
      return general();
    // All W tokens that look back to s lie in the shard, before the next reset; s is then not handed over.
    Value interior = b.compare(CmpIPredicate::sle, b.add(s, b.index(width)), end);
    b.ifThen(
        interior,
        [&] {
          g.forChannels([&](const Lanes &lanes, Value c) {
            Value sum = lanes.constant(0);
            for (int64_t k = 0; k < width; ++k) {
              Value t = b.add(s, b.index(width - 1 - k));
              Value cotangent = lanes.load(v.dy, {g.sequence, t, g.channel(c)});
              sum = b.mulAdd(lanes.load(v.weights, {b.index(k), c}), cotangent, sum);
            }
            lanes.store(sum, target, {g.sequence, row, g.channel(c)});
          });
        },
        general);
  };
  Value end = b.reverseLoop(zero, ctx.tokens, ctx.tokens, [&](Value s, ValueRange carried) {
    emitPosition(s, carried[0], v.dx, s, /*received=*/false);
    return SmallVector<Value>{g.advanceStart(v.resets, s, carried[0])};
  })[0];
  if (v.nextTailCotangent)
    b.loop(zero, b.index(width - 1), 1, [&](Value row) {
      Value s = b.sub(row, b.index(width - 1));
      emitPosition(s, end, v.nextTailCotangent, row, /*received=*/true);
    });
}

/// dweight[k] = sum over t of dy[t] tap(t, k) and dbias = sum over t of dy[t], in chunks of tokens.
static void emitWeightCotangents(ConvGroup &g, const Views &v) {
  KernelContext &ctx = g.ctx;
  KernelBuilder &b = g.b;
  int64_t width = g.width;
  Value zero = b.index(0), biasRow = b.index(width), rowsOfSums = b.index(width + 1);
  auto clear = [&](Value sums) {
    b.loop(zero, rowsOfSums, 1, [&](Value row) {
      g.forChannels([&](const Lanes &lanes, Value c) { lanes.store(lanes.constant(0), sums, {row, c}); });
    });
  };
  auto accumulate = [&](const Lanes &lanes, Value row, Value c, Value x, Value y) {
    lanes.store(b.mulAdd(x, y, lanes.load(v.chunkSums, {row, c})), v.chunkSums, {row, c});
  };
  clear(v.sums);
  Value start = g.initialStart(static_cast<bool>(v.tail));
  b.loop(zero, ctx.tokens, tokenChunk, start, [&](Value chunk, ValueRange outer) {
    clear(v.chunkSums);
    Value chunkEnd = b.min(b.add(chunk, b.index(tokenChunk)), ctx.tokens);
    SmallVector<Value> next = b.loop(chunk, chunkEnd, 1, outer, [&](Value t, ValueRange carried) {
      Value from = g.advanceStart(v.resets, t, carried[0]);
      if (v.dbias)
        g.forChannels([&](const Lanes &lanes, Value c) {
          Value sum = b.add(lanes.load(v.chunkSums, {biasRow, c}), lanes.load(v.dy, {g.sequence, t, g.channel(c)}));
          lanes.store(sum, v.chunkSums, {biasRow, c});
        });
      b.ifThen(
          g.isInterior(t, from),
          [&] {
            g.forChannels([&](const Lanes &lanes, Value c) {
              Value cotangent = lanes.load(v.dy, {g.sequence, t, g.channel(c)});
              for (int64_t k = 0; k < width; ++k)
                accumulate(lanes, b.index(k), c, cotangent,
                           lanes.load(v.x, {g.sequence, g.tapPosition(t, k), g.channel(c)}));
            });
          },
          [&] {
            b.loop(zero, b.index(width), 1, [&](Value k) {
              Value s = b.add(t, b.sub(k, b.index(width - 1)));
              b.ifThen(b.compare(CmpIPredicate::sge, s, from), [&] {
                g.withRow(v.x, v.tail, s, [&](Value view, Value row) {
                  g.forChannels([&](const Lanes &lanes, Value c) {
                    accumulate(lanes, k, c, lanes.load(v.dy, {g.sequence, t, g.channel(c)}),
                               lanes.load(view, {g.sequence, row, g.channel(c)}));
                  });
                });
              });
            });
          });
      return SmallVector<Value>{from};
    });
    b.loop(zero, rowsOfSums, 1, [&](Value row) {
      g.forChannels([&](const Lanes &lanes, Value c) {
        lanes.store(b.add(lanes.load(v.sums, {row, c}), lanes.load(v.chunkSums, {row, c})), v.sums, {row, c});
      });
    });
    return next;
  });
  for (int64_t k = 0; k < width; ++k)
    b.spread(zero, g.channelCount, [&](Value c) {
      b.store(b.load(v.sums, {b.index(k), c}), v.dweight, {g.sequence, g.channel(c), zero, b.index(k)});
    });
  if (v.dbias)
    g.forChannels([&](const Lanes &lanes, Value c) {
      lanes.store(lanes.load(v.sums, {biasRow, c}), v.dbias, {g.sequence, g.channel(c)});
    });
}

static LogicalResult emitConv1dAdjoint(KernelContext &ctx, Operation *op) {
  if (ctx.getTarget() == KernelTarget::Gpu)
    return emitWindowConvAdjoint(ctx, op);
  auto adjoint = cast<adj::Conv1dAdjointOp>(op);
  KernelBuilder &b = ctx.b;
  RankedTensorType weightType = getConvWeightType<adj::Conv1dAdjointOp>(op);
  int64_t width = weightType.getDimSize(2);
  auto input = [&](Value tensor) { return tensor ? ctx.fullView(tensor) : Value(); };
  auto output = [&](Value tensor) { return tensor && ctx.isOutput(tensor) ? ctx.fullView(tensor) : Value(); };
  Views v;
  v.x = input(adjoint.getX());
  v.weight = input(adjoint.getWeight());
  v.dy = input(adjoint.getCotangent());
  v.tail = input(adjoint.getTail());
  v.tailCotangent = input(adjoint.getTailCotangent());
  v.resets = input(adjoint.getResets());
  v.dx = output(adjoint.getDx());
  v.dweight = output(adjoint.getDweight());
  v.dbias = output(adjoint.getDbias());
  v.nextTailCotangent = output(adjoint.getNextTailCotangent());
  v.weights = b.workspace({width, convChannelBlock}, b.getF32Type());
  v.position = b.workspace({convChannelBlock}, b.getF32Type());
  v.chunkSums = b.workspace({width + 1, convChannelBlock}, b.getF32Type());
  v.sums = b.workspace({width + 1, convChannelBlock}, b.getF32Type());
  if (!v.dx || !v.dweight)
    return op->emitOpError() << "must yield the cotangents of its input and of its weight";
  ctx.forGroups([&](Value group) {
    ConvGroup g(ctx, group, weightType);
    g.loadWeights(v.weight, v.weights);
    emitInputCotangents(g, v);
    emitWeightCotangents(g, v);
  });
  return success();
}

static KernelLaunches conv1dAdjointLaunches(adj::KernelOp, Operation *op, KernelTarget target) {
  RankedTensorType weight = getConvWeightType<adj::Conv1dAdjointOp>(op);
  return target == KernelTarget::Gpu ? windowConvAdjointLaunches(weight) : oneLaunch(getConvGrid(target, weight));
}

const KernelEmitter adjc::conv1dAdjointEmitter{
    "adj.conv1d_adjoint", convGrid<adj::Conv1dAdjointOp>, emitConv1dAdjoint,
    /*tied=*/nullptr,     /*accumulates=*/false,          conv1dAdjointLaunches};
