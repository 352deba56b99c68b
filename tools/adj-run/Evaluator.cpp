// Which device a command line means.
#include "Evaluator.h"

using namespace adjrt;
using namespace adjrun;

Expected<std::unique_ptr<Evaluator>> adjrun::openEvaluator(std::shared_ptr<const Module> module,
                                                           const EvaluatorOptions &options) {
  std::string target = module->table().target()->name()->str();
  std::string device = options.device;
  std::string origin = "--device " + device;
  if (device.empty()) {
    device = target == "cpu" ? "cpu" : "cuda:0";
    origin = module->path() + ": its target is " + target;
  }
  if (device == "reference")
    return openReferenceEvaluator(std::move(module), options);
  if (device == "cuda" || device.rfind("cuda:", 0) == 0)
    return invalidInput(
        origin +
        ": the CUDA device is not built yet; use --device cpu with a module for the cpu, or --device reference");
  return openSessionEvaluator(std::move(module), device, options);
}
