#include "Interpreter.h"

#include <algorithm>

namespace adjrt::reference {

std::string placeOf(const fb::NodeT &node, std::int64_t layer) {
  std::string place = "op '" + node.op + "'";
  if (layer >= 0)
    place += " (layer " + std::to_string(layer) + ")";
  if (!node.location.empty())
    place += " at " + node.location;
  return place;
}

std::string parameterName(const fb::NodeT &node, std::int64_t layer) {
  static constexpr std::string_view kPlaceholder = "{layer}";
  std::string name = findAttribute(node, "name")->text;
  if (layer >= 0)
    for (std::size_t at; (at = name.find(kPlaceholder)) != std::string::npos;)
      name.replace(at, kPlaceholder.size(), std::to_string(layer));
  return name;
}

int Interpreter::newVariable() {
  evaluation.variables.emplace_back();
  return static_cast<int>(evaluation.variables.size()) - 1;
}

Expected<double> Interpreter::forward() {
  variableOf.assign(model.values.size(), kUndefined);
  variableOf[model.graph->arguments[0]] = kTokens;
  variableOf[model.graph->arguments[1]] = kTargets;
  ADJ_RETURN_IF_ERROR(runGraph(*model.graph, -1));
  const auto carried = static_cast<std::size_t>(carries);
  for (const auto *given : {&evaluation.initialStates, &evaluation.finalStateCotangents})
    if (!given->empty() && given->size() != carried)
      return invalidInput("the call gives " + std::to_string(given->size()) + " states, the model carries " +
                          std::to_string(carried));
  return evaluation.variables[variableOf[model.graph->results[0]]].value().values[0];
}

Status Interpreter::runGraph(const fb::GraphT &graph, std::int64_t layer) {
  for (const auto &node : graph.nodes) {
    if (node->op == "ssm.parameter")
      runParameter(*node, layer);
    else if (node->op == "ssm.repeat")
      ADJ_RETURN_IF_ERROR(runRepeat(*node));
    else
      ADJ_RETURN_IF_ERROR(runNode(*node, layer));
  }
  return {};
}

void Interpreter::runParameter(const fb::NodeT &node, std::int64_t layer) {
  std::string name = parameterName(node, layer);
  auto [found, isNew] = parameterVariables.try_emplace(name, -1);
  if (isNew) {
    found->second = newVariable();
    Variable &variable = evaluation.variables.back();
    variable.parameter = &parameters.at(name);
    variable.parameterGradient = gradients ? &gradients->at(name) : nullptr;
  }
  variableOf[node.results[0]] = found->second;
}

Status Interpreter::runRepeat(const fb::NodeT &node) {
  const fb::GraphT &body = *node.regions[0];
  std::vector<int> carried;
  for (int operand : node.operands)
    carried.push_back(variableOf[operand]);
  for (std::int64_t layer = 0, count = integerAttribute(node, "count"); layer < count; ++layer) {
    for (std::size_t i = 0; i < carried.size(); ++i)
      variableOf[body.arguments[i]] = carried[i];
    ADJ_RETURN_IF_ERROR(runGraph(body, layer));
    for (std::size_t i = 0; i < carried.size(); ++i)
      carried[i] = variableOf[body.results[i]];
  }
  for (std::size_t i = 0; i < carried.size(); ++i)
    variableOf[node.results[i]] = carried[i];
  return {};
}

Status Interpreter::runNode(const fb::NodeT &node, std::int64_t layer) {
  Step step;
  step.node = &node;
  step.operation = findOperation(node.op);
  step.place = placeOf(node, layer);
  for (int operand : node.operands)
    step.operands.push_back(variableOf[operand]);
  for (int result : node.results)
    step.results.push_back(variableOf[result] = newVariable());
  if (step.operation->carries) {
    step.carry = carries++;
    evaluation.finalStates.emplace_back();
    evaluation.initialStateCotangents.emplace_back();
  }
  Frame frame(evaluation, step);
  ADJ_RETURN_IF_ERROR(step.operation->forward(frame));
  if (evaluation.keep)
    tape.push_back(std::move(step));
  return {};
}

Status Interpreter::backward() {
  Variable &loss = evaluation.variables[variableOf[model.graph->results[0]]];
  loss.ownGradient = Tensor(std::vector<std::int64_t>{});
  loss.ownGradient.values[0] = 1;
  for (auto step = tape.rbegin(); step != tape.rend(); ++step) {
    Frame frame(evaluation, *step);
    bool needed = step->carry >= 0 && !evaluation.finalStateCotangents.empty();
    for (std::size_t i = 0; i < step->results.size(); ++i)
      needed = needed || frame.resultCotangent(i);
    if (needed)
      ADJ_RETURN_IF_ERROR(step->operation->backward(frame));
    else if (step->carry >= 0)
      frame.initialStateCotangent() = Tensor(frame.finalState().shape);
    for (int result : step->results) { // no earlier step reads them
      evaluation.variables[result].own = {};
      evaluation.variables[result].ownGradient = {};
    }
  }
  return {};
}

} // namespace adjrt::reference
