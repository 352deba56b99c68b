// ssm.lm_loss: mean cross-entropy of x W^T + bias over the counted targets.
#include "Gemm.h"
#include "Tape.h"

#include <algorithm>

namespace adjrt::reference {
namespace {

constexpr std::int32_t kIgnored = -100;
// Logits are made for this many rows at a time: the vocabulary can be large.
constexpr std::int64_t kRows = 256;

struct Head {
  const Tensor *x, *w, *bias;
  std::int64_t rows, channels, vocabulary;
  std::span<const std::int32_t> targets;

  /// Logits of `count` rows from `first`.
  [[nodiscard]] std::vector<double> logits(unsigned threads, std::int64_t first, std::int64_t count) const {
    std::vector<double> out(count * vocabulary, 0.0);
    if (bias)
      for (std::int64_t row = 0; row < count; ++row)
        std::copy(bias->values.begin(), bias->values.end(), &out[row * vocabulary]);
    gemm(threads, count, vocabulary, channels, &x->values[first * channels], Transpose::No, w->values.data(),
         Transpose::Yes, out.data());
    return out;
  }
};

double logSumExp(const double *logits, std::int64_t count) {
  double largest = *std::max_element(logits, logits + count), sum = 0;
  for (std::int64_t v = 0; v < count; ++v)
    sum += std::exp(logits[v] - largest);
  return largest + std::log(sum);
}

Status check(const fb::ModelT &model, const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"has_bias"}));
  bool hasBias = integerAttribute(node, "has_bias") != 0;
  if (node.operands.size() != (hasBias ? 4u : 3u))
    return invalidInput("attribute 'has_bias' doesn't fit the number of operands, " +
                        std::to_string(node.operands.size()));
  return checkOneResult(model, node);
}

Expected<Head> prepare(const Frame &frame) {
  Head head = {&frame.operand(0), &frame.operand(1), nullptr, frame.rows(), 0, 0, frame.evaluation.batch->targets};
  if (head.x->shape.size() != 3 || head.w->shape.size() != 2 || head.w->shape[1] != head.x->shape[2])
    return frame.error("the weight has shape " + toString(head.w->shape) + ", which doesn't fit x of shape " +
                       toString(head.x->shape));
  head.vocabulary = head.w->shape[0], head.channels = head.w->shape[1];
  if (integerAttribute(frame.node(), "has_bias")) {
    ADJ_RETURN_IF_ERROR(frame.expectShape(2, {head.vocabulary}, "the bias"));
    head.bias = &frame.operand(2);
  }
  for (std::int64_t row = 0; row < head.rows; ++row)
    if (std::int32_t target = head.targets[row]; target != kIgnored && (target < 0 || target >= head.vocabulary))
      return frame.error("target " + std::to_string(target) + " at position " + std::to_string(row % frame.tokens()) +
                         " of sequence " + std::to_string(row / frame.tokens()) + " is outside the vocabulary 0 .. " +
                         std::to_string(head.vocabulary - 1) + " and is not -100 (ignored)");
  return head;
}

/// The sum of the rows' losses; error Failed when it is not finite.
Expected<double> total(const Frame &frame, const std::vector<double> &losses) {
  double sum = 0;
  for (double loss : losses)
    sum += loss;
  if (std::isfinite(sum))
    return sum;
  for (std::int64_t t = 0; t < frame.tokens(); ++t)
    for (std::int64_t b = 0; b < frame.batch(); ++b)
      if (!std::isfinite(losses[b * frame.tokens() + t]))
        return failed(frame.step.place + ": the loss is not finite, first at token " + std::to_string(t) +
                      " of sequence " + std::to_string(b) + ": check the parameters for values that overflow");
  return failed(frame.step.place + ": the sum of the losses is not finite though every token's loss is");
}

Status forward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Head head, prepare(frame));
  std::vector<double> losses(head.rows, 0.0);
  for (std::int64_t first = 0; first < head.rows; first += kRows) {
    std::int64_t count = std::min(kRows, head.rows - first);
    std::vector<double> logits = head.logits(frame.threads(), first, count);
    for (std::int64_t row = 0; row < count; ++row)
      if (std::int32_t target = head.targets[first + row]; target != kIgnored) {
        const double *of = &logits[row * head.vocabulary];
        losses[first + row] = logSumExp(of, head.vocabulary) - of[target];
      }
  }
  ADJ_ASSIGN_OR_RETURN(double sum, total(frame, losses));
  frame.makeResult(0, {}).values[0] = sum / static_cast<double>(frame.evaluation.counted);
  return {};
}

Status backward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Head head, prepare(frame));
  double scale = frame.resultCotangent(0)->values[0] / static_cast<double>(frame.evaluation.counted);
  Tensor &dx = frame.operandCotangent(0), &dw = frame.operandCotangent(1);
  for (std::int64_t first = 0; first < head.rows; first += kRows) {
    std::int64_t count = std::min(kRows, head.rows - first);
    // The logits become their cotangents, scale (softmax - one-hot), in place.
    std::vector<double> logits = head.logits(frame.threads(), first, count);
    for (std::int64_t row = 0; row < count; ++row) {
      double *of = &logits[row * head.vocabulary];
      std::int32_t target = head.targets[first + row];
      if (target == kIgnored) {
        std::fill_n(of, head.vocabulary, 0.0);
        continue;
      }
      double logTotal = logSumExp(of, head.vocabulary);
      for (std::int64_t v = 0; v < head.vocabulary; ++v)
        of[v] = scale * (std::exp(of[v] - logTotal) - (v == target ? 1 : 0));
      if (head.bias)
        for (std::int64_t v = 0; v < head.vocabulary; ++v)
          frame.operandCotangent(2).values[v] += of[v];
    }
    gemm(frame.threads(), count, head.channels, head.vocabulary, logits.data(), Transpose::No, head.w->values.data(),
         Transpose::No, &dx.values[first * head.channels]);
    gemm(frame.threads(), head.vocabulary, head.channels, count, logits.data(), Transpose::Yes,
         &head.x->values[first * head.channels], Transpose::No, dw.values.data());
  }
  return {};
}

} // namespace

const Operation kLmLoss = {"ssm.lm_loss", 3, 4, IntegerOperand::TargetsLast, false, check, forward, backward};

} // namespace adjrt::reference
