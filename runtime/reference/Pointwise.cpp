// ssm.silu, ssm.gate, ssm.residual, ssm.split, ssm.reshape: no value looks at another token or channel.
#include "Tape.h"

#include <algorithm>
#include <numeric>

namespace adjrt::reference {
namespace {

double siluOf(double z) { return z * sigmoid(z); }
double siluDerivative(double z) {
  double s = sigmoid(z);
  return s * (1 + z * (1 - s));
}

Status siluForward(Frame &frame) {
  const Tensor &x = frame.operand(0);
  Tensor &y = frame.makeResult(0, x.shape);
  std::transform(x.values.begin(), x.values.end(), y.values.begin(), siluOf);
  return {};
}

Status siluBackward(Frame &frame) {
  const Tensor &x = frame.operand(0), &g = *frame.resultCotangent(0);
  Tensor &dx = frame.operandCotangent(0);
  for (std::int64_t i = 0; i < x.size(); ++i)
    dx.values[i] += g.values[i] * siluDerivative(x.values[i]);
  return {};
}

Status gateForward(Frame &frame) {
  const Tensor &x = frame.operand(0), &z = frame.operand(1);
  ADJ_RETURN_IF_ERROR(frame.expectShape(1, x.shape, "z"));
  Tensor &y = frame.makeResult(0, x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i)
    y.values[i] = x.values[i] * siluOf(z.values[i]);
  return {};
}

Status gateBackward(Frame &frame) {
  const Tensor &x = frame.operand(0), &z = frame.operand(1), &g = *frame.resultCotangent(0);
  Tensor &dx = frame.operandCotangent(0), &dz = frame.operandCotangent(1);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    dx.values[i] += g.values[i] * siluOf(z.values[i]);
    dz.values[i] += g.values[i] * x.values[i] * siluDerivative(z.values[i]);
  }
  return {};
}

Status residualForward(Frame &frame) {
  const Tensor &a = frame.operand(0), &b = frame.operand(1);
  ADJ_RETURN_IF_ERROR(frame.expectShape(1, a.shape, "the second operand"));
  Tensor &y = frame.makeResult(0, a.shape);
  std::transform(a.values.begin(), a.values.end(), b.values.begin(), y.values.begin(), std::plus<>());
  return {};
}

Status residualBackward(Frame &frame) {
  const Tensor &g = *frame.resultCotangent(0);
  for (std::size_t i = 0; i < 2; ++i) {
    Tensor &d = frame.operandCotangent(i);
    std::transform(d.values.begin(), d.values.end(), g.values.begin(), d.values.begin(), std::plus<>());
  }
  return {};
}

const std::vector<std::int64_t> &splitSizes(const fb::NodeT &node) { return findAttribute(node, "sizes")->integers; }

Status splitCheck(const fb::ModelT &, const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"sizes"}));
  if (splitSizes(node).size() != node.results.size())
    return invalidInput("has " + std::to_string(node.results.size()) + " results but " +
                        std::to_string(splitSizes(node).size()) + " sizes");
  if (std::any_of(splitSizes(node).begin(), splitSizes(node).end(), [](std::int64_t size) { return size < 1; }))
    return invalidInput("attribute 'sizes' must be positive");
  return {};
}

Status splitForward(Frame &frame) {
  const Tensor &x = frame.operand(0);
  const auto &sizes = splitSizes(frame.node());
  std::int64_t width = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (x.shape.empty() || x.shape.back() != width)
    return frame.error("the sizes add up to " + std::to_string(width) + ", x has shape " + toString(x.shape));
  std::int64_t rows = x.size() / width, offset = 0;
  std::vector<std::int64_t> shape = x.shape;
  for (std::size_t i = 0; i < sizes.size(); offset += sizes[i++]) {
    shape.back() = sizes[i];
    Tensor &y = frame.makeResult(i, shape);
    for (std::int64_t row = 0; row < rows; ++row)
      std::copy_n(&x.values[row * width + offset], sizes[i], &y.values[row * sizes[i]]);
  }
  return {};
}

Status splitBackward(Frame &frame) {
  Tensor &dx = frame.operandCotangent(0);
  const auto &sizes = splitSizes(frame.node());
  std::int64_t width = dx.shape.back(), rows = dx.size() / width, offset = 0;
  for (std::size_t i = 0; i < sizes.size(); offset += sizes[i++])
    if (const Tensor *g = frame.resultCotangent(i))
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t c = 0; c < sizes[i]; ++c)
          dx.values[row * width + offset + c] += g->values[row * sizes[i] + c];
  return {};
}

Status reshapeCheck(const fb::ModelT &model, const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(checkOneResult(model, node));
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"sizes"}));
  const auto &sizes = findAttribute(node, "sizes")->integers;
  if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size < 1; }))
    return invalidInput("attribute 'sizes' must be positive");
  return {};
}

Status reshapeForward(Frame &frame) {
  const Tensor &x = frame.operand(0);
  std::vector<std::int64_t> shape = {frame.batch(), frame.tokens()};
  const auto &sizes = findAttribute(frame.node(), "sizes")->integers;
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  auto product = [](const std::vector<std::int64_t> &of) {
    return std::accumulate(of.begin(), of.end(), std::int64_t{1}, std::multiplies<>());
  };
  if (x.size() != product(shape))
    return frame.error("x has shape " + toString(x.shape) + ", which does not reshape to " + toString(shape));
  frame.makeResult(0, shape).values = x.values;
  return {};
}

Status reshapeBackward(Frame &frame) {
  const Tensor &g = *frame.resultCotangent(0);
  Tensor &d = frame.operandCotangent(0);
  std::transform(d.values.begin(), d.values.end(), g.values.begin(), d.values.begin(), std::plus<>());
  return {};
}

} // namespace

const Operation kSilu = {"ssm.silu", 1, 1, IntegerOperand::None, false, checkOneResult, siluForward, siluBackward};
const Operation kGate = {"ssm.gate", 2, 2, IntegerOperand::None, false, checkOneResult, gateForward, gateBackward};
const Operation kResidual = {"ssm.residual",  2, 2, IntegerOperand::None, false, checkOneResult, residualForward,
                             residualBackward};
const Operation kSplit = {"ssm.split", 1, 1, IntegerOperand::None, false, splitCheck, splitForward, splitBackward};
const Operation kReshape = {"ssm.reshape",  1, 1, IntegerOperand::None, false, reshapeCheck, reshapeForward,
                            reshapeBackward};

} // namespace adjrt::reference
