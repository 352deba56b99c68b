// Interpreter.h - runs a model's graph forward, leaving a tape, and backward over the tape.
#ifndef ADJRT_REFERENCE_INTERPRETER_H
#define ADJRT_REFERENCE_INTERPRETER_H

#include "Tape.h"

namespace adjrt::reference {

/// Checks a model without running it: ops known, attributes present, values defined once and before use, parameters
/// listed.
Status checkModel(const fb::ModelT &model, const std::vector<ParameterSpec> &parameters);

/// "op 'ssm.linear' (layer 3) at spec.mlir:12:8"; layer < 0: outside any repeat.
std::string placeOf(const fb::NodeT &node, std::int64_t layer);

/// The name of a parameter node in `layer`: "{layer}" replaced.
std::string parameterName(const fb::NodeT &node, std::int64_t layer);

class Interpreter {
public:
  /// `gradients` receives the parameters' cotangents; nullptr when no reverse sweep follows.
  Interpreter(const fb::ModelT &model, const NamedTensors &parameters, NamedTensors *gradients, Evaluation &evaluation)
      : model(model), parameters(parameters), gradients(gradients), evaluation(evaluation) {}

  /// The loss.
  Expected<double> forward();
  /// Adds into the gradients; forward must have run with `keep`.
  Status backward();

private:
  Status runGraph(const fb::GraphT &graph, std::int64_t layer);
  Status runNode(const fb::NodeT &node, std::int64_t layer);
  Status runRepeat(const fb::NodeT &node);
  void runParameter(const fb::NodeT &node, std::int64_t layer);
  int newVariable();

  const fb::ModelT &model;
  const NamedTensors &parameters;
  NamedTensors *gradients;
  Evaluation &evaluation;
  std::vector<int> variableOf; ///< per value of the model: its variable in the current iteration
  std::map<std::string, int> parameterVariables;
  std::vector<Step> tape;
  int carries = 0;
};

} // namespace adjrt::reference

#endif
