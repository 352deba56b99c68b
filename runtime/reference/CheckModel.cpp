// checkModel: everything about a model that can be said without running it, so that a bad file is an error and not a
// crash.
#include "Interpreter.h"

#include <algorithm>
#include <set>

namespace adjrt::reference {
namespace {

class Checker {
public:
  Checker(const fb::ModelT &model, const std::vector<ParameterSpec> &parameters) : model(model) {
    for (const ParameterSpec &parameter : parameters)
      names.insert(parameter.name);
  }

  Status run() {
    const fb::GraphT &graph = *model.graph;
    if (graph.arguments.size() != 2 || graph.results.size() != 1)
      return invalidInput("the graph takes tokens and targets and gives the loss, but has " +
                          std::to_string(graph.arguments.size()) + " arguments and " +
                          std::to_string(graph.results.size()) + " results");
    for (int argument : graph.arguments)
      ADJ_RETURN_IF_ERROR(define(argument));
    tokens = graph.arguments[0], targets = graph.arguments[1];
    ADJ_RETURN_IF_ERROR(checkGraph(graph, {-1}));
    ADJ_RETURN_IF_ERROR(use(graph.results[0]));
    if (lossValue != graph.results[0])
      return invalidInput("the graph's result is not that of ssm.lm_loss");
    return {};
  }

private:
  /// `layers`: for which layers the graph runs; {-1} outside any repeat.
  Status checkGraph(const fb::GraphT &graph, const std::vector<std::int64_t> &layers) {
    for (const auto &node : graph.nodes) {
      if (!node)
        return invalidInput("a node is missing");
      if (Status status = checkNode(*node, layers); !status)
        return tl::unexpected<Error>(status.error().in(placeOf(*node, -1)));
    }
    return {};
  }

  Status checkNode(const fb::NodeT &node, const std::vector<std::int64_t> &layers) {
    if (node.op == "ssm.parameter")
      return checkParameter(node, layers);
    if (node.op == "ssm.repeat")
      return checkRepeat(node);
    const Operation *operation = findOperation(node.op);
    if (!operation)
      return invalidInput("the reference device doesn't know this op");
    std::size_t count = node.operands.size();
    if (count < operation->minimumOperands || count > operation->maximumOperands)
      return invalidInput("has " + std::to_string(count) + " operands, expected " +
                          std::to_string(operation->minimumOperands) + " to " +
                          std::to_string(operation->maximumOperands));
    for (std::size_t i = 0; i < count; ++i) {
      bool wantsTokens = operation->integers == IntegerOperand::TokensFirst && i == 0;
      bool wantsTargets = operation->integers == IntegerOperand::TargetsLast && i + 1 == count;
      int operand = node.operands[i];
      ADJ_RETURN_IF_ERROR(use(operand));
      if (wantsTokens != (operand == tokens) || wantsTargets != (operand == targets))
        return invalidInput("operand " + std::to_string(i) + " must " +
                            (wantsTokens    ? "be the tokens"
                             : wantsTargets ? "be the targets"
                                            : "not be the tokens or targets"));
      // The loss's storage has no rows: nothing may compute on it.
      if (operand == lossValue)
        return invalidInput("operand " + std::to_string(i) + " is the loss");
    }
    ADJ_RETURN_IF_ERROR(operation->check(model, node));
    for (int result : node.results)
      ADJ_RETURN_IF_ERROR(define(result));
    if (operation == &kLmLoss)
      lossValue = node.results[0];
    return {};
  }

  Status checkParameter(const fb::NodeT &node, const std::vector<std::int64_t> &layers) {
    ADJ_RETURN_IF_ERROR(requireAttributes(node, {"name"}));
    for (std::int64_t layer : layers)
      if (std::string name = parameterName(node, layer); !names.contains(name))
        return invalidInput("the module lists no parameter '" + name + "'");
    ADJ_RETURN_IF_ERROR(checkOneResult(model, node));
    return define(node.results[0]);
  }

  Status checkRepeat(const fb::NodeT &node) {
    ADJ_RETURN_IF_ERROR(requireAttributes(node, {"count"}));
    std::int64_t count = integerAttribute(node, "count");
    constexpr std::int64_t kMost = 1 << 20;
    if (count < 0 || count > kMost)
      return invalidInput("attribute 'count' is " + std::to_string(count));
    if (node.regions.size() != 1 || !node.regions[0] || node.regions[0]->arguments.size() != node.operands.size() ||
        node.regions[0]->results.size() != node.operands.size() || node.results.size() != node.operands.size())
      return invalidInput("needs one region whose arguments and results are as many as the operands and results");
    const fb::GraphT &body = *node.regions[0];
    for (int operand : node.operands) {
      ADJ_RETURN_IF_ERROR(use(operand));
      if (operand == tokens || operand == targets || operand == lossValue)
        return invalidInput("the loop-carried values must not be tokens, targets or the loss");
    }
    std::vector<std::int64_t> layers(count);
    for (std::int64_t layer = 0; layer < count; ++layer)
      layers[layer] = layer;
    const std::set<int> outside = visible;
    for (int argument : body.arguments)
      ADJ_RETURN_IF_ERROR(define(argument));
    ADJ_RETURN_IF_ERROR(checkGraph(body, layers));
    for (int result : body.results) {
      ADJ_RETURN_IF_ERROR(use(result));
      if (result == tokens || result == targets || result == lossValue)
        return invalidInput("the loop-carried values must not be tokens, targets or the loss");
    }
    visible = outside;
    for (int result : node.results)
      ADJ_RETURN_IF_ERROR(define(result));
    return {};
  }

  Status inRange(int value) const {
    if (value >= 0 && static_cast<std::size_t>(value) < model.values.size())
      return {};
    return invalidInput("value " + std::to_string(value) + " is not one of the model's " +
                        std::to_string(model.values.size()));
  }
  Status define(int value) {
    ADJ_RETURN_IF_ERROR(inRange(value));
    if (!defined.insert(value).second)
      return invalidInput("value " + std::to_string(value) + " is defined twice");
    visible.insert(value);
    return {};
  }
  Status use(int value) const {
    ADJ_RETURN_IF_ERROR(inRange(value));
    if (!visible.contains(value))
      return invalidInput("value " + std::to_string(value) + " is used where it is not defined");
    return {};
  }

  const fb::ModelT &model;
  std::set<std::string> names;
  std::set<int> defined; ///< anywhere so far
  std::set<int> visible; ///< from where the walk is
  int tokens = -1, targets = -1, lossValue = -1;
};

} // namespace

Status checkModel(const fb::ModelT &model, const std::vector<ParameterSpec> &parameters) {
  for (const ParameterSpec &parameter : parameters) {
    constexpr double kMost = 1e12;
    double size = 1;
    for (std::int64_t dimension : parameter.shape)
      size *= dimension < 1 ? kMost * 2 : static_cast<double>(dimension);
    if (size > kMost)
      return invalidInput("parameter '" + parameter.name + "' has shape " + toString(parameter.shape));
  }
  return Checker(model, parameters).run();
}

} // namespace adjrt::reference
