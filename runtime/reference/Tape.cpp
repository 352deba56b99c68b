#include "Tape.h"

#include <array>
#include <limits>

namespace adjrt::reference {

Tensor::Tensor(std::vector<std::int64_t> dimensions) : shape(std::move(dimensions)) {
  std::size_t size = 1;
  for (std::int64_t dimension : shape)
    size *= static_cast<std::size_t>(dimension);
  values.assign(size, 0.0);
}

std::string toString(const std::vector<std::int64_t> &shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

std::vector<std::int64_t> Evaluation::documentStarts(std::int64_t b) const {
  std::vector<std::int64_t> starts(batch->tokens);
  std::int64_t start = std::numeric_limits<std::int64_t>::min() / 2;
  for (std::int64_t t = 0; t < batch->tokens; ++t)
    starts[t] = start = reset(b, t) ? t : start;
  return starts;
}

Tensor &Frame::operandCotangent(std::size_t i) {
  Variable &variable = evaluation.variables[step.operands[i]];
  if (variable.parameterGradient)
    return *variable.parameterGradient;
  if (variable.ownGradient.values.empty())
    variable.ownGradient = Tensor(variable.value().shape);
  return variable.ownGradient;
}

Status Frame::expectShape(std::size_t i, const std::vector<std::int64_t> &shape, std::string_view what) const {
  if (operand(i).shape == shape)
    return {};
  return error(std::string(what) + " has shape " + toString(operand(i).shape) + ", expected " + toString(shape));
}

static Expected<const Tensor *> givenState(const Frame &frame, const std::vector<Tensor> &given,
                                           const std::vector<std::int64_t> &shape, const char *what) {
  if (given.empty())
    return nullptr;
  if (static_cast<std::size_t>(frame.step.carry) >= given.size())
    return frame.error(std::string("the call gives ") + std::to_string(given.size()) + " " + what +
                       "s, the model has more");
  const Tensor &state = given[frame.step.carry];
  if (state.shape != shape)
    return frame.error(std::string("the ") + what + " has shape " + toString(state.shape) + ", expected " +
                       toString(shape));
  return &state;
}

Expected<const Tensor *> Frame::initialState(const std::vector<std::int64_t> &shape) const {
  return givenState(*this, evaluation.initialStates, shape, "initial state");
}

Expected<const Tensor *> Frame::finalStateCotangent(const std::vector<std::int64_t> &shape) const {
  return givenState(*this, evaluation.finalStateCotangents, shape, "final state cotangent");
}

const Operation *findOperation(std::string_view name) {
  static constexpr std::array<const Operation *, 13> kOperations = {
      &kEmbedding, &kRmsNorm, &kLinear, &kConv1d, &kSilu,          &kGate,  &kResidual,
      &kSplit,     &kReshape, &kMlp,    &kScan,   &kSelectiveScan, &kLmLoss};
  for (const Operation *operation : kOperations)
    if (operation->name == name)
      return operation;
  return nullptr;
}

const fb::AttributeT *findAttribute(const fb::NodeT &node, std::string_view name) {
  for (const auto &attribute : node.attributes)
    if (attribute && attribute->name == name)
      return attribute.get();
  return nullptr;
}

std::int64_t integerAttribute(const fb::NodeT &node, std::string_view name, std::int64_t otherwise) {
  const fb::AttributeT *attribute = findAttribute(node, name);
  return attribute ? attribute->integer : otherwise;
}

Status checkOneResult(const fb::ModelT &, const fb::NodeT &node) {
  if (node.results.size() == 1)
    return {};
  return invalidInput("has " + std::to_string(node.results.size()) + " results, expected 1");
}

Status requireAttributes(const fb::NodeT &node, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names)
    if (!findAttribute(node, name))
      return invalidInput("attribute '" + std::string(name) + "' is missing");
  return {};
}

} // namespace adjrt::reference
