// ssm.conv1d: causal depthwise convolution. Carries its last K-1 inputs; taps from before a reset are 0.
#include "Parallel.h"
#include "Tape.h"

namespace adjrt::reference {
namespace {

struct Sizes {
  std::int64_t batch, tokens, channels, width;
  [[nodiscard]] std::int64_t at(std::int64_t b, std::int64_t t, std::int64_t c) const {
    return (b * tokens + t) * channels + c;
  }
  /// `source` is negative: -1 is the tail's newest row.
  [[nodiscard]] std::int64_t atTail(std::int64_t b, std::int64_t source, std::int64_t c) const {
    return (b * (width - 1) + width - 1 + source) * channels + c;
  }
  [[nodiscard]] double work() const {
    return static_cast<double>(batch * tokens * channels) * static_cast<double>(width);
  }
  [[nodiscard]] std::vector<std::int64_t> tailShape() const { return {batch, width - 1, channels}; }
};

Expected<Sizes> sizesOf(const Frame &frame) {
  const Tensor &x = frame.operand(0), &w = frame.operand(1);
  if (x.shape.size() != 3 || x.shape[0] != frame.batch() || x.shape[1] != frame.tokens())
    return frame.error("x has shape " + toString(x.shape) + ", expected (batch, tokens, channels)");
  std::int64_t channels = x.shape[2];
  if (w.shape.size() != 3 || w.shape[0] != channels || w.shape[1] != 1 || w.shape[2] < 1)
    return frame.error("the weight has shape " + toString(w.shape) + ", expected (" + std::to_string(channels) +
                       ", 1, width)");
  if (frame.operandCount() == 3)
    ADJ_RETURN_IF_ERROR(frame.expectShape(2, {channels}, "the bias"));
  return Sizes{frame.batch(), frame.tokens(), channels, w.shape[2]};
}

/// Calls visit(row of the final tail, source) for every row that the tail keeps; the others are zero.
template <typename Visit> void forFinalTail(const Sizes &size, const std::vector<std::int64_t> &starts, Visit visit) {
  for (std::int64_t row = 0; row < size.width - 1; ++row) {
    std::int64_t source = size.tokens - (size.width - 1) + row;
    if (source >= starts.back())
      visit(row, source);
  }
}

Status forward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Sizes size, sizesOf(frame));
  ADJ_ASSIGN_OR_RETURN(const Tensor *tail, frame.initialState(size.tailShape()));
  const Tensor &x = frame.operand(0), &w = frame.operand(1);
  Tensor &y = frame.makeResult(0, x.shape);
  Tensor finalTail(size.tailShape());
  for (std::int64_t b = 0; b < size.batch; ++b) {
    std::vector<std::int64_t> starts = frame.evaluation.documentStarts(b);
    auto input = [&](std::int64_t source, std::int64_t c) {
      if (source >= 0)
        return x.values[size.at(b, source, c)];
      return tail ? tail->values[size.atTail(b, source, c)] : 0.0;
    };
    parallelFor(frame.threads(), size.channels, size.work(), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = 0; t < size.tokens; ++t)
        for (std::int64_t c = first; c < last; ++c) {
          double sum = frame.operandCount() == 3 ? frame.operand(2).values[c] : 0;
          for (std::int64_t k = 0; k < size.width; ++k)
            if (std::int64_t source = t - size.width + 1 + k; source >= starts[t])
              sum += w.values[c * size.width + k] * input(source, c);
          y.values[size.at(b, t, c)] = sum;
        }
    });
    forFinalTail(size, starts, [&](std::int64_t row, std::int64_t source) {
      for (std::int64_t c = 0; c < size.channels; ++c)
        finalTail.values[(b * (size.width - 1) + row) * size.channels + c] = input(source, c);
    });
  }
  frame.finalState() = std::move(finalTail);
  return {};
}

Status backward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Sizes size, sizesOf(frame));
  ADJ_ASSIGN_OR_RETURN(const Tensor *tail, frame.initialState(size.tailShape()));
  ADJ_ASSIGN_OR_RETURN(const Tensor *dFinalTail, frame.finalStateCotangent(size.tailShape()));
  const Tensor &x = frame.operand(0), &w = frame.operand(1);
  const Tensor *g = frame.resultCotangent(0);
  Tensor &dx = frame.operandCotangent(0), &dw = frame.operandCotangent(1);
  Tensor dTail(size.tailShape());
  for (std::int64_t b = 0; b < size.batch; ++b) {
    std::vector<std::int64_t> starts = frame.evaluation.documentStarts(b);
    auto cotangent = [&](std::int64_t source, std::int64_t c) -> double & {
      return source >= 0 ? dx.values[size.at(b, source, c)] : dTail.values[size.atTail(b, source, c)];
    };
    if (g)
      parallelFor(frame.threads(), size.channels, size.work(), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t t = 0; t < size.tokens; ++t)
          for (std::int64_t c = first; c < last; ++c)
            for (std::int64_t k = 0; k < size.width; ++k)
              if (std::int64_t source = t - size.width + 1 + k; source >= starts[t]) {
                double gy = g->values[size.at(b, t, c)];
                if (source >= 0)
                  dw.values[c * size.width + k] += gy * x.values[size.at(b, source, c)];
                else if (tail)
                  dw.values[c * size.width + k] += gy * tail->values[size.atTail(b, source, c)];
                cotangent(source, c) += gy * w.values[c * size.width + k];
              }
      });
    if (g && frame.operandCount() == 3) {
      Tensor &dBias = frame.operandCotangent(2);
      for (std::int64_t t = 0; t < size.tokens; ++t)
        for (std::int64_t c = 0; c < size.channels; ++c)
          dBias.values[c] += g->values[size.at(b, t, c)];
    }
    if (dFinalTail)
      forFinalTail(size, starts, [&](std::int64_t row, std::int64_t source) {
        for (std::int64_t c = 0; c < size.channels; ++c)
          cotangent(source, c) += dFinalTail->values[(b * (size.width - 1) + row) * size.channels + c];
      });
  }
  frame.initialStateCotangent() = std::move(dTail);
  return {};
}

} // namespace

const Operation kConv1d = {"ssm.conv1d", 2, 3, IntegerOperand::None, true, checkOneResult, forward, backward};

} // namespace adjrt::reference
