// Comparing gradients.
#include "GradientCheck.h"
#include "Evaluator.h"
#include "FiniteDifferences.h"
#include "ModuleParameters.h"
#include "RandomTokens.h"
#include "ReferenceInputs.h"
#include "adjrt/initialize/Initialize.h"
#include "adjrt/initialize/Random.h"
#include "adjrt/support/BFloat16.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace adjrt;
using namespace adjrun;

/// Relative error of f32 gradients that a module is held to.
static constexpr double kCpuBound = 1e-5, kGpuBound = 5e-5;
/// The same of a module that stores its activations in bf16.
static constexpr double kBf16Bound = 4e-2;
/// What a check may cost the reference, in parameters times tokens times passes: tens of seconds on two cores.
static constexpr double kGradientCost = 2e9, kSlopeCost = 2e10;

std::int64_t adjrun::chooseCheckTokens(const Module &module) {
  const fb::Plan &plan = module.plan();
  double affordable =
      kGradientCost / static_cast<double>(countParameters(module) + 1) / static_cast<double>(plan.batch());
  auto limit = static_cast<std::int64_t>(std::clamp(affordable, 200.0, 1e6));
  return std::max<std::int64_t>(std::min({plan.context(), plan.shard() > limit ? limit : 3 * plan.shard() + 5, limit}),
                                1);
}

/// Initial parameters, moved a little off the special points (ones, zeros) where mistakes can hide. Values that f32
/// holds exactly; for a module in bf16, that bf16 does: what is judged is the gradient, not the rounding of the
/// parameters.
static Expected<reference::NamedTensors> makeParameters(const Module &module, std::uint64_t seed,
                                                        Evaluator &evaluator) {
  reference::NamedTensors parameters;
  for (const TensorSpec &tensor : listParameters(module))
    parameters[tensor.name] = reference::Tensor(tensor.shape);
  std::vector<float> buffer(kPiece);
  Status status = forEachPiece(module, [&](std::uint32_t index, std::uint64_t first, std::size_t count) -> Status {
    const fb::Parameter &parameter = *module.table().parameters()->Get(index);
    std::span<float> piece = std::span(buffer).first(count);
    ADJ_RETURN_IF_ERROR(initializeParameter(parameter, seed, piece, first));
    RandomStream random(seed, "check " + parameter.name()->str());
    for (std::size_t i = 0; i != count; ++i)
      piece[i] += static_cast<float>(0.02 * random.normal(first + i));
    if (module.table().dtype() == fb::DType::bf16)
      std::transform(piece.begin(), piece.end(), piece.begin(), nearestBFloat16);
    std::copy(piece.begin(), piece.end(),
              parameters.at(parameter.name()->str()).values.begin() + static_cast<std::ptrdiff_t>(first));
    return evaluator.setParameter(index, piece, first);
  });
  if (!status)
    return tl::unexpected(status.error().in(module.path()));
  return parameters;
}

/// Names that differ only in a layer's number fall into one group: digits between dots become "*".
static std::string groupOf(const std::string &name, bool perParameter) {
  if (perParameter)
    return name;
  std::string group, part;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '.') {
      part += name[i];
      continue;
    }
    bool number =
        !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c); });
    group += (number ? "*" : part) + (i < name.size() ? "." : "");
    part.clear();
  }
  return group;
}

/// Fills slopeError and ok of the parameters.
static Status checkSlopes(const Module &module, const reference::ReferenceModel &model,
                          reference::NamedTensors &parameters, const CheckOptions &options, CheckResult &result) {
  // Four losses per direction, each one pass over the parameters and tokens.
  double pass = 4.0 * static_cast<double>(countParameters(module)) * static_cast<double>(module.plan().batch());
  auto affordable = [&](std::size_t directions) { return kSlopeCost / (pass * static_cast<double>(directions) + 1); };
  bool perParameter = affordable(result.parameters.size()) >= 8;
  std::map<std::string, std::vector<std::string>> groups;
  for (const ParameterCheck &parameter : result.parameters)
    groups[groupOf(parameter.name, perParameter)].push_back(parameter.name);
  result.slopeTokens =
      std::min(result.tokens, static_cast<std::int64_t>(std::clamp(affordable(groups.size()), 8.0, 1e6)));

  TokenStream stream = makeRandomTokens(module, result.slopeTokens, options.seed + 1, options.resets);
  ADJ_ASSIGN_OR_RETURN(const ReferenceInputs inputs, ReferenceInputs::read(stream));
  ADJ_ASSIGN_OR_RETURN(reference::Result gradient, model.valueAndGrad(parameters, inputs.batch()));
  std::map<std::string, SlopeError> errors;
  for (const auto &[group, names] : groups) {
    ADJ_ASSIGN_OR_RETURN(errors[group],
                         checkSlope(model, parameters, inputs.batch(), gradient.gradients, names, options.seed));
  }
  for (ParameterCheck &parameter : result.parameters) {
    const SlopeError &error = errors.at(groupOf(parameter.name, perParameter));
    parameter.slopeError = error.relative;
    parameter.ok = parameter.ok && error.ok;
  }
  return {};
}

Expected<CheckResult> adjrun::checkGradients(std::shared_ptr<const Module> module, const CheckOptions &options) {
  CheckResult result;
  result.tokens = options.tokens > 0 ? options.tokens : chooseCheckTokens(*module);
  if (result.tokens > module->plan().context())
    return invalidInput("--tokens " + std::to_string(result.tokens) + ": " + module->path() +
                        " was planned for at most " + std::to_string(module->plan().context()) +
                        "; compile it with --context=" + std::to_string(result.tokens) + " or more");
  ADJ_ASSIGN_OR_RETURN(auto evaluator,
                       openEvaluator(module, {options.device, options.threads, result.tokens, false, {}, {}}));
  ADJ_ASSIGN_OR_RETURN(reference::ReferenceModel model, openReferenceModel(*module, options.threads));
  ADJ_ASSIGN_OR_RETURN(reference::NamedTensors parameters, makeParameters(*module, options.seed, *evaluator));
  TokenStream stream = makeRandomTokens(*module, result.tokens, options.seed, options.resets);
  ADJ_ASSIGN_OR_RETURN(const ReferenceInputs inputs, ReferenceInputs::read(stream));
  ADJ_ASSIGN_OR_RETURN(Evaluation evaluation, evaluator->valueAndGrad(stream));
  ADJ_ASSIGN_OR_RETURN(reference::Result expected, model.valueAndGrad(parameters, inputs.batch()));
  result.device = evaluator->deviceName();
  result.loss = evaluation.loss;
  result.referenceLoss = expected.loss;
  result.bound = module->table().dtype() == fb::DType::bf16         ? kBf16Bound
                 : module->table().target()->name()->str() == "cpu" ? kCpuBound
                                                                    : kGpuBound;
  result.lossOk = std::abs(result.loss - result.referenceLoss) <= result.bound * std::abs(result.referenceLoss);

  std::vector<TensorSpec> tensors = listParameters(*module);
  std::vector<double> squares(tensors.size()), differences(tensors.size());
  std::vector<float> buffer(kPiece);
  ADJ_RETURN_IF_ERROR(forEachPiece(*module, [&](std::uint32_t index, std::uint64_t first, std::size_t count) -> Status {
    std::span<float> piece = std::span(buffer).first(count);
    ADJ_RETURN_IF_ERROR(evaluator->getGradient(index, piece, first));
    const std::vector<double> &judge = expected.gradients.at(tensors[index].name).values;
    for (std::size_t i = 0; i != count; ++i) {
      double truth = judge[first + i], difference = static_cast<double>(piece[i]) - truth;
      squares[index] += truth * truth;
      differences[index] += difference * difference;
    }
    return {};
  }));
  for (std::size_t i = 0; i != tensors.size(); ++i) {
    ParameterCheck check{tensors[i].name, tensors[i].shape, std::sqrt(squares[i]), std::sqrt(differences[i]), 0, false};
    if (check.norm > 0)
      check.error /= check.norm;
    check.ok = check.norm > 0 ? check.error <= result.bound : check.error == 0;
    result.parameters.push_back(std::move(check));
  }
  ADJ_RETURN_IF_ERROR(checkSlopes(*module, model, parameters, options, result));
  return result;
}
