//===- Conv1dWindow.cpp - causal convolution on a GPU -----------------------------------------------------------===//
#include "Conv1dWindow.h"
#include "FusedRows.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace adjc;
using arith::CmpIPredicate;

/// Tokens of a group, its threads, and the most channels of a thread, which it reads at once.
static constexpr int64_t forwardTokens = 64, adjointTokens = 128, convThreads = 128, mostChannels = 4;
/// Channels of a group: where fewer can be read at once, a thread goes over its tokens several times.
static constexpr int64_t channelsPerGroup = convThreads * mostChannels;
/// Tokens that a thread reads before it computes any.
static constexpr int64_t tokensAtOnce = 4;

static int64_t getChannelBlocks(RankedTensorType weight, int64_t channels) {
  return static_cast<int64_t>(llvm::divideCeil(weight.getDimSize(0), channels));
}

static KernelGrid makeChunkGrid(RankedTensorType weight, int64_t tokens) {
  return {GridUnit::Chunks, tokens, getChannelBlocks(weight, channelsPerGroup), convThreads};
}

KernelLaunches adjc::windowConvLaunches(RankedTensorType weight) {
  KernelLaunches launches;
  launches.list.push_back({"", makeChunkGrid(weight, forwardTokens)});
  return launches;
}

KernelLaunches adjc::windowConvAdjointLaunches(RankedTensorType weight) {
  KernelLaunches launches;
  KernelGrid sums{GridUnit::Batch, 1, getChannelBlocks(weight, convThreads), convThreads};
  launches.list = {{"_inputs", makeChunkGrid(weight, adjointTokens)}, {"_sums", sums}};
  launches.workspace = weight.getDimSize(0) * (weight.getDimSize(2) + 1);
  launches.workspaceTokens = adjointTokens;
  return launches;
}

namespace {

/// What a thread works on.
struct Channel {
  Value sequence, chunk, chunks; ///< chunks of the sequence
  Value first, end;              ///< tokens of the chunk
  Value number;                  ///< of the (first) channel
  Lanes lanes;                   ///< its channels
};

/// Channels that a thread reads at once: as many as the rows of `fused` and the tails (which may be null) allow.
int64_t getConvWidth(KernelContext &context, const FusedRows &fused, int64_t channels, ArrayRef<Value> tails) {
  SmallVector<KernelOperand> operands;
  for (Value tail : tails)
    if (tail)
      operands.push_back(context.operand(tail));
  int64_t width = std::min(mostChannels, fused.getWidth(channels));
  return operands.empty() ? width : std::min(width, getAccessWidth(channels, operands));
}

/// Emits `body` for the thread's channels, `width` at a time, if they exist.
void forChannels(KernelContext &context, int64_t channels, int64_t width, int64_t tokens,
                 function_ref<void(const Channel &)> body) {
  KernelBuilder &b = context.b;
  int64_t blocks = llvm::divideCeil(channels, channelsPerGroup);
  context.forGroups([&](Value group) {
    Channel channel{.lanes = Lanes(b, width, /*aligned=*/true)};
    Value rest = b.div(group, b.index(blocks));
    channel.chunks = b.ceilDiv(context.tokens, tokens);
    channel.chunk = b.remainder(rest, channel.chunks);
    channel.sequence = b.div(rest, channel.chunks);
    channel.first = b.mul(channel.chunk, b.index(tokens));
    channel.end = b.min(b.add(channel.first, b.index(tokens)), context.tokens);
    Value start = b.mul(b.remainder(group, b.index(blocks)), b.index(channelsPerGroup));
    start = b.add(start, b.mul(b.threadNumber(), b.index(width)));
    Value end = b.min(b.index(channels), b.add(start, b.index(channelsPerGroup)));
    b.loop(start, end, convThreads * width, [&](Value number) {
      channel.number = number;
      body(channel);
    });
  });
}

/// Reads of one kernel; null views where an operand is absent.
struct Reader {
  KernelBuilder &b;
  const Channel &channel;

  Value isReset(Value resets, Value token) {
    if (!resets)
      return b.constant(b.getI1Type(), 0);
    Value flag = b.load(resets, {channel.sequence, token});
    return b.compare(CmpIPredicate::ne, flag, b.constant(flag.getType(), 0));
  }
  /// The input at position s, which is in the tail received (zeros without one) where s < 0.
  Value input(Value x, Value tail, int64_t width, Value s) {
    return b.ifElse(
        type(), b.compare(CmpIPredicate::sge, s, b.index(0)), [&] { return SmallVector<Value>{read(x, s)}; },
        [&] { return SmallVector<Value>{tail ? read(tail, b.add(s, b.index(width - 1))) : zero()}; })[0];
  }
  Type type() { return channel.lanes.type(b.getF32Type()); }
  Value zero() { return channel.lanes.constant(0); }
  Value read(Value view, Value row) { return channel.lanes.load(view, {channel.sequence, row, channel.number}); }
  void write(Value value, Value view, Value row) {
    channel.lanes.store(value, view, {channel.sequence, row, channel.number});
  }
  SmallVector<Value> taps(Value weight, int64_t width) {
    SmallVector<Value> values;
    for (int64_t k = 0; k < width; ++k) {
      SmallVector<Value> ofChannels;
      for (int64_t i = 0; i < channel.lanes.getWidth(); ++i)
        ofChannels.push_back(b.load(weight, {b.add(channel.number, b.index(i)), b.index(0), b.index(k)}));
      values.push_back(ofChannels.size() == 1
                           ? ofChannels[0]
                           : vector::FromElementsOp::create(b, cast<VectorType>(type()), ofChannels).getResult());
    }
    return values;
  }
};

} // namespace

LogicalResult adjc::emitWindowConv(KernelContext &ctx, Operation *op) {
  auto conv = cast<ssm::Conv1dOp>(op);
  KernelBuilder &b = ctx.b;
  auto weightType = cast<RankedTensorType>(conv.getWeight().getType());
  int64_t width = weightType.getDimSize(2);
  auto viewOf = [&](Value tensor) { return tensor ? ctx.fullView(tensor) : Value(); };
  Value x = viewOf(conv.getX()), weight = viewOf(conv.getWeight());
  FusedRows fused(ctx, op);
  Value bias = viewOf(conv.getBias()), tail = viewOf(conv.getTail()), resets = viewOf(conv.getResets());
  Value nextTail = conv.getNextTail() && ctx.isOutput(conv.getNextTail()) ? viewOf(conv.getNextTail()) : Value();
  int64_t channels = weightType.getDimSize(0);
  int64_t atOnce = getConvWidth(ctx, fused, channels, {conv.getTail(), nextTail ? conv.getNextTail() : Value()});
  forChannels(ctx, channels, atOnce, forwardTokens, [&](const Channel &channel) {
    Reader reader{b, channel};
    SmallVector<Value> taps = reader.taps(weight, width);
    Value constant = bias ? channel.lanes.load(bias, channel.number) : reader.zero();
    // window[k]: the input of tap k of the previous token, so that tap W-1 is its own; 0 where a reset hides it.
    auto shift = [&](Value reset, Value value, ValueRange window) {
      SmallVector<Value> next;
      for (int64_t k = 1; k < width; ++k)
        next.push_back(resets ? b.select(reset, reader.zero(), window[k]) : window[k]);
      next.push_back(value);
      return next;
    };
    auto advance = [&](Value token, ValueRange window) {
      return shift(reader.isReset(resets, token), reader.read(x, token), window);
    };
    SmallVector<Value> window(width, reader.zero());
    // The W-1 positions before the chunk: the window ends with them, resets among them included.
    for (int64_t back = width - 1; back >= 1; --back) {
      Value s = b.sub(channel.first, b.index(back));
      window = b.ifElse(
          ValueRange(window).getTypes(), b.compare(CmpIPredicate::sge, s, b.index(0)),
          [&] { return advance(s, window); },
          [&] {
            SmallVector<Value> next(llvm::drop_begin(window));
            next.push_back(tail ? reader.read(tail, b.add(s, b.index(width - 1))) : reader.zero());
            return next;
          });
    }
    auto compute = [&](Value token, ValueRange inputs) {
      Value sum = constant;
      for (int64_t k = 0; k < width; ++k)
        sum = b.mulAdd(taps[k], inputs[k], sum);
      FusedRows::Point point(channel.lanes, b.add(b.mul(channel.sequence, ctx.tokens), token), channel.number);
      fused.write(point, conv.getResult(), sum);
    };
    Value whole = b.mul(b.div(b.sub(channel.end, channel.first), b.index(tokensAtOnce)), b.index(tokensAtOnce));
    Value rest = b.add(channel.first, whole);
    SmallVector<Value> last = b.loop(channel.first, rest, tokensAtOnce, window, [&](Value first, ValueRange carried) {
      SmallVector<Value> tokens, values, flags, next(carried);
      for (int64_t i = 0; i < tokensAtOnce; ++i) {
        tokens.push_back(b.add(first, b.index(i)));
        flags.push_back(reader.isReset(resets, tokens[i]));
        values.push_back(reader.read(x, tokens[i]));
      }
      for (int64_t i = 0; i < tokensAtOnce; ++i) {
        next = shift(flags[i], values[i], next);
        compute(tokens[i], next);
      }
      return next;
    });
    last = b.loop(rest, channel.end, 1, last, [&](Value token, ValueRange carried) {
      SmallVector<Value> next = advance(token, carried);
      compute(token, next);
      return next;
    });
    if (nextTail)
      b.ifThen(b.compare(CmpIPredicate::eq, channel.end, ctx.tokens), [&] {
        for (int64_t j = 0; j + 1 < width; ++j)
          reader.write(last[j + 1], nextTail, b.index(j));
      });
  });
  return success();
}

namespace {

class WindowConvAdjoint {
public:
  WindowConvAdjoint(KernelContext &context, adj::Conv1dAdjointOp adjoint)
      : ctx(context), b(context.b), rows(context, adjoint), type(cast<RankedTensorType>(adjoint.getWeight().getType())),
        width(type.getDimSize(2)) {
    auto input = [&](Value tensor) { return tensor ? ctx.fullView(tensor) : Value(); };
    auto output = [&](Value tensor) { return tensor && ctx.isOutput(tensor) ? ctx.fullView(tensor) : Value(); };
    x = input(adjoint.getX());
    weight = input(adjoint.getWeight());
    dy = input(adjoint.getCotangent());
    tail = input(adjoint.getTail());
    tailCotangent = input(adjoint.getTailCotangent());
    resets = input(adjoint.getResets());
    dx = output(adjoint.getDx());
    dweight = output(adjoint.getDweight());
    dbias = output(adjoint.getDbias());
    nextTailCotangent = output(adjoint.getNextTailCotangent());
    workspace = ctx.workspaceView();
    atOnce = getConvWidth(
        ctx, rows, type.getDimSize(0),
        {adjoint.getTail(), adjoint.getTailCotangent(), nextTailCotangent ? adjoint.getNextTailCotangent() : Value()});
  }

  bool isComplete() const { return dx && dweight; }

  void emitInputs() {
    forChannels(ctx, type.getDimSize(0), atOnce, adjointTokens, [&](const Channel &channel) {
      Reader reader{b, channel};
      SmallVector<Value> taps = reader.taps(weight, width);
      // The W-1 positions after the chunk fill the window; then down to its first, and the first chunk goes on into the
      // tail received.
      Value past = b.add(channel.end, b.index(width - 1));
      Value isFirst = b.compare(CmpIPredicate::eq, channel.chunk, b.index(0));
      Value lowest = nextTailCotangent || tail ? b.select(isFirst, b.index(1 - width), channel.first) : channel.first;
      SmallVector<Value> state(width, reader.zero());
      state.push_back(b.constant(b.getI1Type(), 1)); // no reset after the position
      SmallVector<Value> sums(width + 1, reader.zero());
      SmallVector<Value> all = b.reverseLoop(channel.end, past, state,
                                             [&](Value s, ValueRange carried) { return advance(reader, s, carried); });
      all.append(sums);
      all = b.reverseLoop(lowest, channel.end, all, [&](Value s, ValueRange carried) {
        SmallVector<Value> next = advance(reader, s, carried.take_front(width + 1));
        writeInput(reader, s, next, taps);
        Value value = reader.input(x, tail, width, s);
        for (int64_t k = 0; k < width; ++k)
          next.push_back(b.mulAdd(value, next[width - 1 - k], carried[width + 1 + k]));
        next.push_back(b.add(carried[2 * width + 1], next[0])); // dy[s]; 0 where s < 0
        return next;
      });
      Value base = sumBase(channel.sequence, channel.chunk, channel.chunks);
      for (int64_t k = 0; k <= width; ++k)
        channel.lanes.store(all[width + 1 + k], workspace, placeOf(base, channel.number, k));
    });
  }

  void emitSums() {
    // As if all tokens were one chunk.
    int64_t blocks = getChannelBlocks(type, convThreads);
    ctx.forGroups([&](Value group) {
      Value sequence = b.div(group, b.index(blocks));
      Value channel = b.add(b.mul(b.remainder(group, b.index(blocks)), b.index(convThreads)), b.threadNumber());
      Value chunks = b.ceilDiv(ctx.tokens, adjointTokens);
      b.ifThen(b.compare(CmpIPredicate::slt, channel, b.index(type.getDimSize(0))), [&] {
        SmallVector<Value> zeros(width + 1, b.f32(0));
        SmallVector<Value> sums = b.loop(b.index(0), chunks, 1, zeros, [&](Value chunk, ValueRange carried) {
          SmallVector<Value> next;
          Value base = sumBase(sequence, chunk, chunks);
          for (int64_t k = 0; k <= width; ++k)
            next.push_back(b.add(carried[k], b.load(workspace, placeOf(base, channel, k))));
          return next;
        });
        for (int64_t k = 0; k < width; ++k)
          b.store(sums[k], dweight, {sequence, channel, b.index(0), b.index(k)});
        if (dbias)
          b.store(sums[width], dbias, {sequence, channel});
      });
    });
  }

private:
  /// carried[j]: dy[s + 1 + j] where token s + 1 + j looks back to s + 1; then whether no reset follows s + 1. Returns
  /// the same for s.
  SmallVector<Value> advance(Reader &reader, Value s, ValueRange carried) {
    Value zero = reader.zero(), after = b.add(s, b.index(1));
    SmallVector<Value> next;
    Value inside =
        b.logicalAnd(b.compare(CmpIPredicate::sge, s, b.index(0)), b.compare(CmpIPredicate::slt, s, ctx.tokens));
    next.push_back(b.ifElse(
        reader.type(), inside, [&] { return SmallVector<Value>{reader.read(dy, s)}; },
        [&] { return SmallVector<Value>{zero}; })[0]);
    Value alive = carried[width];
    Value hidden;
    if (resets) {
      Value known = b.logicalAnd(b.compare(CmpIPredicate::sge, after, b.index(0)),
                                 b.compare(CmpIPredicate::slt, after, ctx.tokens));
      hidden = b.ifElse(
          b.getI1Type(), known, [&] { return SmallVector<Value>{reader.isReset(resets, after)}; },
          [&] { return SmallVector<Value>{b.constant(b.getI1Type(), 0)}; })[0];
      alive = b.select(hidden, b.constant(b.getI1Type(), 0), alive);
    }
    for (int64_t j = 0; j + 1 < width; ++j)
      next.push_back(hidden ? b.select(hidden, zero, carried[j]) : carried[j]);
    next.push_back(alive);
    return next;
  }

  /// The cotangent of position s.
  void writeInput(Reader &reader, Value s, ArrayRef<Value> state, ArrayRef<Value> taps) {
    Value sum = reader.zero();
    for (int64_t j = 0; j < width; ++j)
      sum = b.mulAdd(taps[width - 1 - j], state[j], sum);
    if (tailCotangent) {
      Value row = b.sub(s, b.sub(ctx.tokens, b.index(width - 1)));
      Value handedOver = b.logicalAnd(b.compare(CmpIPredicate::sge, row, b.index(0)), state[width]);
      sum = b.ifElse(
          reader.type(), handedOver, [&] { return SmallVector<Value>{b.add(sum, reader.read(tailCotangent, row))}; },
          [&] { return SmallVector<Value>{sum}; })[0];
    }
    b.ifThen(
        b.compare(CmpIPredicate::sge, s, b.index(0)), [&] { reader.write(sum, dx, s); },
        [&] {
          if (nextTailCotangent)
            reader.write(sum, nextTailCotangent, b.add(s, b.index(width - 1)));
        });
  }

  Value sumBase(Value sequence, Value chunk, Value chunks) {
    return b.mul(b.add(b.mul(sequence, chunks), chunk), b.index(type.getDimSize(0) * (width + 1)));
  }
  Value placeOf(Value base, Value channel, int64_t k) {
    return b.add(base, b.add(b.index(k * type.getDimSize(0)), channel));
  }

  KernelContext &ctx;
  KernelBuilder &b;
  FusedRows rows;
  RankedTensorType type;
  int64_t width, atOnce = 1;
  Value x, weight, dy, tail, tailCotangent, resets, dx, dweight, dbias, nextTailCotangent, workspace;
};

} // namespace

LogicalResult adjc::emitWindowConvAdjoint(KernelContext &context, Operation *op) {
  WindowConvAdjoint adjoint(context, cast<adj::Conv1dAdjointOp>(op));
  if (!adjoint.isComplete())
    return op->emitOpError() << "must yield the cotangents of its input and of its weight";
  if (context.getLaunch() == 0)
    adjoint.emitInputs();
  else
    adjoint.emitSums();
  return success();
}
