// ReferenceModel: checks a call's inputs, then lets the interpreter run.
#include "Interpreter.h"

#include <algorithm>
#include <thread>

namespace adjrt::reference {

struct ReferenceModel::Impl {
  fb::ModelT model;
  std::vector<ParameterSpec> parameters;
  unsigned threads = 0;

  [[nodiscard]] Status checkParameters(const NamedTensors &given) const;
  [[nodiscard]] Expected<Evaluation> begin(const NamedTensors &given, const Batch &batch) const;
};

ReferenceModel::ReferenceModel(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
ReferenceModel::ReferenceModel(ReferenceModel &&) noexcept = default;
ReferenceModel &ReferenceModel::operator=(ReferenceModel &&) noexcept = default;
ReferenceModel::~ReferenceModel() = default;

void ReferenceModel::setThreads(unsigned threads) { impl->threads = threads; }
const std::vector<ParameterSpec> &ReferenceModel::parameters() const { return impl->parameters; }

Expected<ReferenceModel> ReferenceModel::create(const fb::Model &model, std::vector<ParameterSpec> parameters) {
  auto impl = std::make_unique<Impl>();
  model.UnPackTo(&impl->model);
  impl->parameters = std::move(parameters);
  if (Status status = checkModel(impl->model, impl->parameters); !status)
    return tl::unexpected<Error>(status.error().in("model '" + impl->model.name + "'"));
  return ReferenceModel(std::move(impl));
}

Status ReferenceModel::Impl::checkParameters(const NamedTensors &given) const {
  for (const ParameterSpec &parameter : parameters) {
    auto found = given.find(parameter.name);
    if (found == given.end())
      return invalidInput("parameter '" + parameter.name + "' is missing");
    const Tensor &tensor = found->second;
    if (tensor.shape != parameter.shape)
      return invalidInput("parameter '" + parameter.name + "' has shape " + toString(tensor.shape) + ", expected " +
                          toString(parameter.shape));
    if (tensor.size() != Tensor(tensor.shape).size())
      return invalidInput("parameter '" + parameter.name + "' has " + std::to_string(tensor.size()) +
                          " values, its shape " + toString(tensor.shape) + " has another number");
  }
  if (given.size() != parameters.size())
    for (const auto &[name, tensor] : given)
      if (std::none_of(parameters.begin(), parameters.end(), [&](const auto &known) { return known.name == name; }))
        return invalidInput("the model has no parameter '" + name + "'");
  return {};
}

Expected<Evaluation> ReferenceModel::Impl::begin(const NamedTensors &given, const Batch &batch) const {
  ADJ_RETURN_IF_ERROR(checkParameters(given));
  if (batch.batch < 1 || batch.tokens < 1)
    return invalidInput("a batch of " + std::to_string(batch.batch) + " sequences of " + std::to_string(batch.tokens) +
                        " tokens is empty");
  auto size = static_cast<std::size_t>(batch.batch) * static_cast<std::size_t>(batch.tokens);
  if (batch.inputs.size() != size || batch.targets.size() != size ||
      (!batch.resets.empty() && batch.resets.size() != size))
    return invalidInput("inputs, targets and resets have " + std::to_string(batch.inputs.size()) + ", " +
                        std::to_string(batch.targets.size()) + " and " + std::to_string(batch.resets.size()) +
                        " elements, expected " + std::to_string(size));
  Evaluation evaluation;
  evaluation.batch = &batch;
  evaluation.threads = threads ? threads : std::max(1u, std::thread::hardware_concurrency());
  evaluation.counted = batch.countedTargets.value_or(
      std::count_if(batch.targets.begin(), batch.targets.end(), [](std::int32_t target) { return target != -100; }));
  if (evaluation.counted < 1)
    return invalidInput("no target is counted: all are -100 (ignored)");
  evaluation.initialStates.assign(batch.initialStates.begin(), batch.initialStates.end());
  evaluation.finalStateCotangents.assign(batch.finalStateCotangents.begin(), batch.finalStateCotangents.end());
  return evaluation;
}

Expected<double> ReferenceModel::loss(const NamedTensors &parameters, const Batch &batch) const {
  ADJ_ASSIGN_OR_RETURN(Evaluation evaluation, impl->begin(parameters, batch));
  evaluation.finalStateCotangents.clear();
  return Interpreter(impl->model, parameters, nullptr, evaluation).forward();
}

Expected<Result> ReferenceModel::valueAndGrad(const NamedTensors &parameters, const Batch &batch) const {
  ADJ_ASSIGN_OR_RETURN(Evaluation evaluation, impl->begin(parameters, batch));
  evaluation.keep = true;
  Result result;
  for (const ParameterSpec &parameter : impl->parameters)
    result.gradients.emplace(parameter.name, Tensor(parameter.shape));
  Interpreter interpreter(impl->model, parameters, &result.gradients, evaluation);
  ADJ_ASSIGN_OR_RETURN(result.loss, interpreter.forward());
  ADJ_RETURN_IF_ERROR(interpreter.backward());
  result.finalStates = std::move(evaluation.finalStates);
  result.initialStateCotangents = std::move(evaluation.initialStateCotangents);
  return result;
}

} // namespace adjrt::reference
