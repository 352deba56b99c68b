//===- EmitConv1d.cpp - causal depthwise convolution ------------------------------------------------------------===//
#include "Conv1d.h"
#include "Conv1dWindow.h"
#include "FusedRows.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;
using arith::CmpIPredicate;

static LogicalResult emitConv1d(KernelContext &ctx, Operation *op) {
  if (ctx.getTarget() == KernelTarget::Gpu)
    return emitWindowConv(ctx, op);
  auto conv = cast<ssm::Conv1dOp>(op);
  KernelBuilder &b = ctx.b;
  RankedTensorType weightType = getConvWeightType<ssm::Conv1dOp>(op);
  int64_t width = weightType.getDimSize(2);
  auto viewOf = [&](Value tensor) { return tensor ? ctx.fullView(tensor) : Value(); };
  Value x = viewOf(conv.getX()), weight = viewOf(conv.getWeight());
  Value bias = viewOf(conv.getBias()), tail = viewOf(conv.getTail()), resets = viewOf(conv.getResets());
  Value nextTail = conv.getNextTail() && ctx.isOutput(conv.getNextTail()) ? viewOf(conv.getNextTail()) : Value();
  Value weights = b.workspace({width, convChannelBlock}, b.getF32Type());
  FusedRows fused(ctx, op);
  // Of one token, tap by tap: the result may round what is written to it.
  Value sums = b.workspace({convChannelBlock}, b.getF32Type());

  ctx.forGroups([&](Value group) {
    ConvGroup g(ctx, group, weightType);
    Value zero = b.index(0);
    g.loadWeights(weight, weights);
    auto biasOf = [&](const Lanes &lanes, Value c) {
      return bias ? lanes.load(bias, g.channel(c)) : lanes.constant(0);
    };
    Value firstRow = b.mul(g.sequence, ctx.tokens);
    auto write = [&](const Lanes &lanes, Value value, Value t, Value c) {
      FusedRows::Point point(lanes, b.add(firstRow, t), g.channel(c));
      fused.write(point, conv.getResult(), value);
    };
    Value start =
        b.loop(zero, ctx.tokens, 1, g.initialStart(static_cast<bool>(tail)), [&](Value t, ValueRange carried) {
          Value from = g.advanceStart(resets, t, carried[0]);
          b.ifThen(
              g.isInterior(t, from),
              [&] {
                g.forChannels([&](const Lanes &lanes, Value c) {
                  Value sum = biasOf(lanes, c);
                  for (int64_t k = 0; k < width; ++k) {
                    Value value = lanes.load(x, {g.sequence, g.tapPosition(t, k), g.channel(c)});
                    sum = b.mulAdd(lanes.load(weights, {b.index(k), c}), value, sum);
                  }
                  write(lanes, sum, t, c);
                });
              },
              [&] {
                g.forChannels([&](const Lanes &lanes, Value c) { lanes.store(biasOf(lanes, c), sums, c); });
                b.loop(zero, b.index(width), 1, [&](Value k) {
                  Value s = b.add(t, b.sub(k, b.index(width - 1)));
                  b.ifThen(b.compare(CmpIPredicate::sge, s, from), [&] {
                    g.withRow(x, tail, s, [&](Value view, Value row) {
                      g.forChannels([&](const Lanes &lanes, Value c) {
                        Value value = lanes.load(view, {g.sequence, row, g.channel(c)});
                        lanes.store(b.mulAdd(lanes.load(weights, {k, c}), value, lanes.load(sums, c)), sums, c);
                      });
                    });
                  });
                });
                g.forChannels([&](const Lanes &lanes, Value c) { write(lanes, lanes.load(sums, c), t, c); });
              });
          return SmallVector<Value>{from};
        })[0];
    if (!nextTail)
      return;
    // Row j of what is handed over is position tokens - (W-1) + j, which may still lie in the tail received.
    b.loop(zero, b.index(width - 1), 1, [&](Value j) {
      Value s = b.add(j, b.sub(ctx.tokens, b.index(width - 1)));
      auto copyRow = [&] {
        g.withRow(x, tail, s, [&](Value view, Value row) {
          g.forChannels([&](const Lanes &lanes, Value c) {
            lanes.store(lanes.load(view, {g.sequence, row, g.channel(c)}), nextTail, {g.sequence, j, g.channel(c)});
          });
        });
      };
      b.ifThen(b.compare(CmpIPredicate::sge, s, start), copyRow, [&] {
        g.forChannels([&](const Lanes &lanes, Value c) {
          lanes.store(lanes.constant(0), nextTail, {g.sequence, j, g.channel(c)});
        });
      });
    });
  });
  return success();
}

static KernelLaunches conv1dLaunches(adj::KernelOp, Operation *op, KernelTarget target) {
  RankedTensorType weight = getConvWeightType<ssm::Conv1dOp>(op);
  return target == KernelTarget::Gpu ? windowConvLaunches(weight) : oneLaunch(getConvGrid(target, weight));
}

const KernelEmitter adjc::conv1dEmitter{.operation = "ssm.conv1d",
                                        .grid = convGrid<ssm::Conv1dOp>,
                                        .emit = emitConv1d,
                                        .launches = conv1dLaunches,
                                        .fusedResult = 0};
