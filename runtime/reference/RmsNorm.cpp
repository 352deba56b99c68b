// ssm.rms_norm: x * rsqrt(mean(x^2) + eps) * weight over the last dimension.
#include "Parallel.h"
#include "Tape.h"

namespace adjrt::reference {
namespace {

Status check(const fb::ModelT &model, const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"eps"}));
  return checkOneResult(model, node);
}

double inverseRms(const double *x, std::int64_t channels, double eps) {
  double sum = 0;
  for (std::int64_t c = 0; c < channels; ++c)
    sum += x[c] * x[c];
  return 1 / std::sqrt(sum / static_cast<double>(channels) + eps);
}

Status forward(Frame &frame) {
  const Tensor &x = frame.operand(0), &weight = frame.operand(1);
  if (x.shape.empty())
    return frame.error("x is a scalar");
  std::int64_t channels = x.shape.back(), rows = x.size() / channels;
  ADJ_RETURN_IF_ERROR(frame.expectShape(1, {channels}, "the weight"));
  Tensor &y = frame.makeResult(0, x.shape);
  double eps = findAttribute(frame.node(), "eps")->real;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double *in = &x.values[row * channels];
    double scale = inverseRms(in, channels, eps);
    for (std::int64_t c = 0; c < channels; ++c)
      y.values[row * channels + c] = in[c] * scale * weight.values[c];
  }
  return {};
}

Status backward(Frame &frame) {
  const Tensor &x = frame.operand(0), &weight = frame.operand(1), &g = *frame.resultCotangent(0);
  Tensor &dx = frame.operandCotangent(0), &dWeight = frame.operandCotangent(1);
  std::int64_t channels = x.shape.back(), rows = x.size() / channels;
  double eps = findAttribute(frame.node(), "eps")->real;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double *in = &x.values[row * channels], *out = &g.values[row * channels];
    double r = inverseRms(in, channels, eps);
    // y_c = r x_c w_c and dr/dx_c = -r^3 x_c / channels
    double dot = 0;
    for (std::int64_t c = 0; c < channels; ++c)
      dot += out[c] * weight.values[c] * in[c];
    for (std::int64_t c = 0; c < channels; ++c) {
      dx.values[row * channels + c] +=
          r * out[c] * weight.values[c] - r * r * r * in[c] * dot / static_cast<double>(channels);
      dWeight.values[c] += out[c] * in[c] * r;
    }
  }
  return {};
}

} // namespace

const Operation kRmsNorm = {"ssm.rms_norm", 2, 2, IntegerOperand::None, false, check, forward, backward};

} // namespace adjrt::reference
