//===- Conv1d.cpp - what the convolution's two kernels share ----------------------------------------------------===//
#include "Conv1d.h"

using namespace mlir;
using namespace adjc;
using arith::CmpIPredicate;

static int64_t getBlocks(RankedTensorType weight) {
  return static_cast<int64_t>(llvm::divideCeil(weight.getDimSize(0), convChannelBlock));
}

KernelGrid adjc::getConvGrid(KernelTarget target, RankedTensorType weight) {
  return makeGrid(target, GridUnit::Batch, 1, getBlocks(weight));
}

ConvGroup::ConvGroup(KernelContext &ctx, Value group, RankedTensorType weight)
    : ctx(ctx), b(ctx.b), width(weight.getDimSize(2)), multiple(weight.getDimSize(0) % laneCount == 0) {
  Value blocks = b.index(getBlocks(weight)), block = b.index(convChannelBlock);
  sequence = b.div(group, blocks);
  firstChannel = b.mul(b.remainder(group, blocks), block);
  channelCount = b.min(block, b.sub(b.index(weight.getDimSize(0)), firstChannel));
}

Value ConvGroup::advanceStart(Value resets, Value t, Value start) {
  if (!resets)
    return start;
  Value flag = b.load(resets, {sequence, t});
  return b.select(b.compare(CmpIPredicate::ne, flag, b.constant(flag.getType(), 0)), t, start);
}

Value ConvGroup::isInterior(Value t, Value start) {
  return b.compare(CmpIPredicate::sge, tapPosition(t, 0), b.max(start, b.index(0)));
}

void ConvGroup::withRow(Value x, Value tail, Value s, function_ref<void(Value, Value)> body) {
  if (!tail)
    return body(x, s);
  b.ifThen(b.compare(CmpIPredicate::sge, s, b.index(0)), [&] { body(x, s); }, [&] { body(tail, tailRow(s)); });
}

void ConvGroup::loadWeights(Value weight, Value weights) {
  for (int64_t k = 0; k < width; ++k)
    b.spread(b.index(0), channelCount,
             [&](Value c) { b.store(b.load(weight, {channel(c), b.index(0), b.index(k)}), weights, {b.index(k), c}); });
}
