// ssm.linear: x W^T + bias.
#include "Gemm.h"
#include "Tape.h"

namespace adjrt::reference {
namespace {

Status forward(Frame &frame) {
  const Tensor &x = frame.operand(0), &w = frame.operand(1);
  if (x.shape.empty() || w.shape.size() != 2 || w.shape[1] != x.shape.back())
    return frame.error("the weight has shape " + toString(w.shape) + ", which doesn't fit x of shape " +
                       toString(x.shape));
  std::int64_t in = w.shape[1], out = w.shape[0], rows = x.size() / in;
  bool hasBias = frame.operandCount() == 3;
  if (hasBias)
    ADJ_RETURN_IF_ERROR(frame.expectShape(2, {out}, "the bias"));
  std::vector<std::int64_t> shape = x.shape;
  shape.back() = out;
  Tensor &y = frame.makeResult(0, shape);
  if (hasBias)
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t o = 0; o < out; ++o)
        y.values[row * out + o] = frame.operand(2).values[o];
  gemm(frame.threads(), rows, out, in, x.values.data(), Transpose::No, w.values.data(), Transpose::Yes,
       y.values.data());
  return {};
}

Status backward(Frame &frame) {
  const Tensor &x = frame.operand(0), &w = frame.operand(1), &g = *frame.resultCotangent(0);
  std::int64_t in = w.shape[1], out = w.shape[0], rows = x.size() / in;
  gemm(frame.threads(), rows, in, out, g.values.data(), Transpose::No, w.values.data(), Transpose::No,
       frame.operandCotangent(0).values.data());
  gemm(frame.threads(), out, in, rows, g.values.data(), Transpose::Yes, x.values.data(), Transpose::No,
       frame.operandCotangent(1).values.data());
  if (frame.operandCount() == 3) {
    Tensor &dBias = frame.operandCotangent(2);
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t o = 0; o < out; ++o)
        dBias.values[o] += g.values[row * out + o];
  }
  return {};
}

} // namespace

const Operation kLinear = {"ssm.linear", 2, 3, IntegerOperand::None, false, checkOneResult, forward, backward};

} // namespace adjrt::reference
