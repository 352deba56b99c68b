// The float64 interpreter of the module's model section.
#include "Evaluator.h"
#include "ModuleParameters.h"
#include "ProcessMemory.h"
#include "ReferenceInputs.h"
#include "adjrt/reference/Reference.h"
#include "adjrt/support/BFloat16.h"

#include <algorithm>
#include <chrono>

using namespace adjrt;
using namespace adjrun;

static tl::unexpected<Error> refuseTiming(const std::string &option) {
  return invalidInput(option + ": the reference device runs no commands that could be timed; use --device cpu");
}

namespace {
class ReferenceEvaluator : public Evaluator {
public:
  ReferenceEvaluator(std::shared_ptr<const Module> module, reference::ReferenceModel model)
      : module(std::move(module)), model(std::move(model)) {
    for (const TensorSpec &parameter : listParameters(*this->module))
      parameters[parameter.name] = reference::Tensor(parameter.shape);
  }

  std::string deviceName() const override { return "reference"; }
  Status setParameter(std::uint32_t index, std::span<const float> values, std::uint64_t first) override {
    auto place = at(parameters, index, first);
    // Of a parameter that the module reads rounded, the reference has the rounded values.
    if (module->table().parameters()->Get(index)->rounded())
      std::transform(values.begin(), values.end(), place, nearestBFloat16);
    else
      std::copy(values.begin(), values.end(), place);
    return {};
  }
  Status getParameter(std::uint32_t index, std::span<float> values, std::uint64_t first) override {
    return copyOut(parameters, index, values, first);
  }
  Status getGradient(std::uint32_t index, std::span<float> values, std::uint64_t first) override {
    if (gradients.empty())
      return failed("gradients were asked for before they were computed");
    return copyOut(gradients, index, values, first);
  }
  Expected<Evaluation> valueAndGrad(const TokenStream &stream) override {
    ADJ_ASSIGN_OR_RETURN(const ReferenceInputs inputs, ReferenceInputs::read(stream));
    auto begin = std::chrono::steady_clock::now();
    ADJ_ASSIGN_OR_RETURN(reference::Result result, model.valueAndGrad(parameters, inputs.batch()));
    std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    gradients = std::move(result.gradients);
    return Evaluation{result.loss, elapsed.count()};
  }
  Status step(const AdamWOptions &) override {
    return invalidInput("--device reference: it computes gradients only; train on the module's own device");
  }
  Status observeCommands(CommandObserver) override { return refuseTiming("--alone"); }
  Expected<double> timeAlone(const TokenStream &, const CommandPlace &, std::int64_t, int) override {
    return refuseTiming("--alone");
  }
  Expected<MemoryFigures> memory(std::int64_t) const override { return MemoryFigures{0, processPeakBytes(), 0}; }

private:
  std::vector<double>::iterator at(reference::NamedTensors &tensors, std::uint32_t index, std::uint64_t first) const {
    return tensors.at(module->table().parameters()->Get(index)->name()->str()).values.begin() +
           static_cast<std::ptrdiff_t>(first);
  }
  Status copyOut(reference::NamedTensors &tensors, std::uint32_t index, std::span<float> values,
                 std::uint64_t first) const {
    std::transform(at(tensors, index, first), at(tensors, index, first) + static_cast<std::ptrdiff_t>(values.size()),
                   values.begin(), [](double value) { return static_cast<float>(value); });
    return {};
  }

  std::shared_ptr<const Module> module;
  reference::ReferenceModel model;
  reference::NamedTensors parameters, gradients;
};
} // namespace

Expected<std::unique_ptr<Evaluator>> adjrun::openReferenceEvaluator(std::shared_ptr<const Module> module,
                                                                    const EvaluatorOptions &options) {
  if (options.onCommand)
    return refuseTiming("--profile");
  ADJ_ASSIGN_OR_RETURN(reference::ReferenceModel model, openReferenceModel(*module, options.threads));
  return std::make_unique<ReferenceEvaluator>(std::move(module), std::move(model));
}
