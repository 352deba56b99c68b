//===- EmitCrossEntropy.cpp - losses and the logits' cotangents, in place ---------------------------------------===//
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
using namespace adjc;

/// Rows per group. A row is a whole vocabulary, so few of them are work enough.
static int64_t getBlock(KernelTarget target) { return target == KernelTarget::Gpu ? 1 : 8; }
/// A target that is not counted.
static constexpr int64_t ignored = -100;

static FailureOr<KernelGrid> crossEntropyGrid(Operation *, KernelTarget target) {
  return makeGrid(target, GridUnit::Rows, getBlock(target));
}

namespace {
/// What the kernel reads and writes of a row; `scale` is 1 / counted targets.
class RowLoss {
public:
  RowLoss(KernelContext &context, adj::CrossEntropyOp entropy)
      : context(context), b(context.b), inPlace(entropy.getCotangent().getType() == entropy.getLogits().getType()),
        vocabulary(getRowSize(cast<RankedTensorType>(entropy.getLogits().getType()))),
        operands{context.operand(entropy.getCotangent())} {
    // The logits' buffer is the cotangent's, where they are stored alike.
    if (!inPlace)
      operands.push_back(context.operand(entropy.getLogits()));
    targets = context.rowsView(entropy.getTargets());
    losses = context.rowsView(entropy.getLosses());
    cotangent = context.rowsView(operands.front());
    logits = context.rowsView(operands.back());
    scale = b.load(context.fullView(entropy.getScale()), {});
  }

  void emit() {
    context.forRows(getBlock(context.getTarget()), [&](Value row) {
      Value target = b.load(targets, row);
      Value skip = b.compare(arith::CmpIPredicate::eq, target, b.constant(target.getType(), ignored));
      b.ifThen(
          skip, [&] { writeZeros(row); },
          [&] {
            Value place = arith::IndexCastOp::create(b, b.getIndexType(), target);
            Value chosen = b.load(logits, {row, place});
            auto [maximum, sum] = b.getThreads() ? findSumInOnePass(row) : findSum(row);
            b.once([&] {
              Value loss = b.add(b.sub(maximum, chosen), math::LogOp::create(b, sum));
              b.store(loss, losses, row);
            });
            Value factor = b.div(scale, sum);
            writeCotangents(row, maximum, factor);
            // Another thread wrote that place.
            b.barrier();
            b.once([&] {
              Value probability = b.mul(exp(b.sub(chosen, maximum)), factor);
              b.store(b.sub(probability, scale), cotangent, {row, place});
            });
          });
    });
  }

private:
  Value exp(Value x) { return math::ExpOp::create(b, x); }
  bool isMultiple() const { return vocabulary % laneCount == 0; }

  void writeZeros(Value row) {
    b.once([&] { b.store(b.f32(0), losses, row); });
    forLanes(b, b.index(0), b.index(vocabulary), isMultiple(),
             [&](const Lanes &lanes, Value v) { lanes.store(lanes.constant(0), cotangent, {row, v}); });
  }

  /// The row's maximum, then the sum of exp(logit - maximum), which is kept where the cotangent will be unless that is
  /// stored in bf16.
  std::pair<Value, Value> findSum(Value row) {
    Value zero = b.index(0), end = b.index(vocabulary);
    Value maximum = reduceLanes(b, zero, end, isMultiple(), Reduction::Maximum, 1, [&](const Lanes &lanes, Value v) {
      return SmallVector<Value>{lanes.load(logits, {row, v})};
    })[0];
    Value sum = reduceLanes(b, zero, end, isMultiple(), Reduction::Sum, 1, [&](const Lanes &lanes, Value v) {
      Value weight = exp(b.sub(lanes.load(logits, {row, v}), lanes.splat(maximum)));
      if (inPlace)
        lanes.store(weight, cotangent, {row, v});
      return SmallVector<Value>{weight};
    })[0];
    return {maximum, sum};
  }

  /// body(lanes, place) for what each thread of a GPU block has of the row.
  SmallVector<Value> forPieces(ValueRange inits,
                               function_ref<SmallVector<Value>(const Lanes &, Value, ValueRange)> body) {
    int64_t width = getAccessWidth(vocabulary, operands);
    Lanes lanes(b, width, /*aligned=*/true);
    return b.loop(b.mul(b.threadNumber(), b.index(width)), b.index(vocabulary), b.getThreads() * width, inits,
                  [&](Value v, ValueRange carried) { return body(lanes, v, carried); });
  }

  /// Both at once, since reading is what takes the time: a thread sums exp(logit - the largest it has met), and scales
  /// its sum when it meets a larger one (Milakov and Gimelshein, arXiv 1805.02867, algorithm 3).
  std::pair<Value, Value> findSumInOnePass(Value row) {
    // Of a thread without logits. Finite: a difference of infinities is not a number.
    Value least = b.f32(std::numeric_limits<float>::lowest());
    SmallVector<Value> mine = forPieces({least, b.f32(0)}, [&](const Lanes &lanes, Value v, ValueRange carried) {
      Value x = lanes.load(logits, {row, v});
      bool vector = lanes.getWidth() > 1;
      Value maximum = b.max(carried[0], vector ? reduceVector(b, Reduction::Maximum, x) : x);
      Value weights = exp(b.sub(x, lanes.splat(maximum)));
      Value scaled = b.mul(carried[1], exp(b.sub(carried[0], maximum)));
      return SmallVector<Value>{maximum, b.add(scaled, vector ? reduceVector(b, Reduction::Sum, weights) : weights)};
    });
    Value maximum = reduceThreads(b, Reduction::Maximum, mine[0])[0];
    Value sum = reduceThreads(b, Reduction::Sum, b.mul(mine[1], exp(b.sub(mine[0], maximum))))[0];
    return {maximum, sum};
  }

  /// exp(logit - maximum) * factor.
  void writeCotangents(Value row, Value maximum, Value factor) {
    auto write = [&](const Lanes &lanes, Value v, bool known) {
      Value x = lanes.load(logits, {row, v});
      Value weight = known ? x : exp(b.sub(x, lanes.splat(maximum)));
      lanes.store(b.mul(weight, lanes.splat(factor)), cotangent, {row, v});
    };
    if (b.getThreads())
      forPieces({}, [&](const Lanes &lanes, Value v, ValueRange) {
        write(lanes, v, /*known=*/false);
        return SmallVector<Value>();
      });
    else
      forLanes(b, b.index(0), b.index(vocabulary), isMultiple(),
               [&](const Lanes &lanes, Value v) { write(lanes, v, /*known=*/inPlace); });
  }

  KernelContext &context;
  KernelBuilder &b;
  bool inPlace;
  int64_t vocabulary;
  SmallVector<KernelOperand> operands; ///< the cotangent, and the logits where they are elsewhere
  Value targets, losses, cotangent, logits, scale;
};
} // namespace

static LogicalResult emitCrossEntropy(KernelContext &context, Operation *op) {
  RowLoss(context, cast<adj::CrossEntropyOp>(op)).emit();
  return success();
}

static Value getTiedLogits(Operation *op, unsigned result) {
  auto entropy = cast<adj::CrossEntropyOp>(op);
  bool alike = entropy.getCotangent().getType() == entropy.getLogits().getType();
  return result == 1 && alike ? entropy.getLogits() : Value();
}

const KernelEmitter adjc::crossEntropyEmitter{"adj.cross_entropy", crossEntropyGrid, emitCrossEntropy, getTiedLogits};
