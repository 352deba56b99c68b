// Which device a command line means.
#include "Evaluator.h"

using namespace adjrt;
using namespace adjrun;

Expected<std::unique_ptr<Evaluator>> adjrun::openEvaluator(std::shared_ptr<const Module> module,
                                                           const EvaluatorOptions &options) {
  std::string target = module->table().target()->name()->str();
  std::string device = options.device;
  std::string origin;
  if (device.empty()) {
    device = target == "cpu" ? "cpu" : "cuda:0";
    origin = module->path() + ": its target is " + target;
  }
  if (device == "reference")
    return openReferenceEvaluator(std::move(module), options);
  auto evaluator = openSessionEvaluator(std::move(module), device, options);
  // A GPU that nobody asked for by name: say where the wish comes from.
  if (!evaluator && options.device.empty() && device != "cpu")
    return tl::unexpected<Error>(evaluator.error().in(origin));
  return evaluator;
}
