// The embedded AdamW step.
#include "adjrt/session/Session.h"

#include <cmath>

namespace adjrt {
namespace {

Status check(const AdamWOptions &options) {
  const auto wrong = [](const char *name, double value, const char *range) {
    return invalidInput(std::string("adamw: ") + name + " " + std::to_string(value) + " must be " + range);
  };
  if (!(options.learningRate >= 0) || !std::isfinite(options.learningRate))
    return wrong("learning rate", options.learningRate, "finite and not negative");
  if (!(options.beta1 >= 0 && options.beta1 < 1))
    return wrong("beta1", options.beta1, "at least 0 and below 1");
  if (!(options.beta2 >= 0 && options.beta2 < 1))
    return wrong("beta2", options.beta2, "at least 0 and below 1");
  if (!(options.epsilon > 0) || !std::isfinite(options.epsilon))
    return wrong("epsilon", options.epsilon, "finite and positive");
  if (!(options.weightDecay >= 0) || !std::isfinite(options.weightDecay))
    return wrong("weight decay", options.weightDecay, "finite and not negative");
  return {};
}

} // namespace

Status Session::adamwStep(const AdamWOptions &settings) {
  ADJ_RETURN_IF_ERROR(check(settings));
  if (!haveGradients)
    return failed("adamw: there are no gradients before valueAndGrad");
  if (!layout.optimizer) {
    const fb::Plan &plan = mod->plan();
    ADJ_ASSIGN_OR_RETURN(const ArenaLayout wanted,
                         ArenaLayout::make(plan.parameter_bytes(), plan.working_copy_bytes(), plan.fixed_bytes(),
                                           plan.boundary_bytes(), true, layout.slots));
    ADJ_RETURN_IF_ERROR(adopt(wanted));
  }
  accumulated.reset(); // later gradients are taken at other parameters
  const double step = static_cast<double>(++steps);
  AdamWStep request;
  request.parameters = layout.parameters;
  request.gradients = layout.gradients;
  request.firstMoment = layout.firstMoment;
  request.secondMoment = layout.secondMoment;
  // The regions as a whole: padding is zero, has zero gradients, and stays zero.
  request.count = mod->plan().parameter_bytes() / sizeof(float);
  request.learningRate = static_cast<float>(settings.learningRate);
  request.beta1 = static_cast<float>(settings.beta1);
  request.beta2 = static_cast<float>(settings.beta2);
  request.epsilon = static_cast<float>(settings.epsilon);
  request.weightDecay = static_cast<float>(settings.weightDecay);
  request.correction1 = static_cast<float>(1 - std::pow(settings.beta1, step));
  request.correction2 = static_cast<float>(1 - std::pow(settings.beta2, step));
  parametersChanged = true;
  return dev->adamw(request);
}

} // namespace adjrt
