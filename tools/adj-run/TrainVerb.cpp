// adj-run train: AdamW on random windows of a text.
#include "ModuleParameters.h"
#include "Progress.h"
#include "TrainingData.h"
#include "Verbs.h"

#include <algorithm>
#include <iomanip>
#include <optional>
#include <sstream>

using namespace adjrt;
using namespace adjrun;

namespace {
struct TrainOptions {
  std::string module, data, params, out, device, checkpoint;
  std::int64_t steps = 0, tokens = 0;
  std::uint64_t seed = 0;
  unsigned threads = 0;
  bool resume = false;
  AdamWOptions adamw;
};

/// Tokens of a step's sequence when the command line does not say.
constexpr std::int64_t kDefaultTokens = 512;

/// T of every step.
Expected<std::int64_t> chooseTokens(const TrainOptions &options, const Module &module, const TrainingData &data) {
  std::int64_t context = module.plan().context();
  if (options.tokens == 0)
    return std::min({context, kDefaultTokens, data.size() - 1});
  if (options.tokens > context)
    return invalidInput("--tokens " + std::to_string(options.tokens) + ": " + options.module +
                        " was planned for at most " + std::to_string(context) +
                        "; compile it with --context=" + std::to_string(options.tokens) + " or more");
  if (options.tokens >= data.size())
    return invalidInput("--tokens " + std::to_string(options.tokens) + ": " + options.data + " has only " +
                        std::to_string(data.size()) + " tokens, and a step needs one more than --tokens");
  return options.tokens;
}

/// The mean loss over the first and the last tenth of the steps: single steps are noisy.
struct LossTrend {
  std::int64_t window;
  double first = 0, last = 0;
  explicit LossTrend(std::int64_t steps) : steps(steps), window(std::max<std::int64_t>(1, steps / 10)) {}
  void add(std::int64_t step, double loss) {
    if (step <= window)
      first += loss / static_cast<double>(window);
    if (step > steps - window)
      last += loss / static_cast<double>(window);
  }
  std::int64_t steps;
};

Status runTrain(const TrainOptions &options, Console &console) {
  if (!options.checkpoint.empty() || options.resume)
    return invalidInput(
        "--checkpoint and --resume are not built yet; leave them out, --out keeps the final parameters");
  ADJ_ASSIGN_OR_RETURN(auto loaded, Module::load(options.module));
  std::shared_ptr<const Module> module = std::move(loaded);
  if (options.device == "reference")
    return invalidInput("--device reference: it computes gradients only; train on the module's own device");
  // Parameters may be trained in place.
  ADJ_RETURN_IF_ERROR(checkDistinct(std::vector<NamedPath>{{"--out", options.out}},
                                    std::vector<NamedPath>{{"MODULE", options.module}, {"--data", options.data}}));
  ADJ_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(options.out, listParameters(*module)));
  ADJ_ASSIGN_OR_RETURN(TrainingData data, TrainingData::read(options.data, module->plan().vocabulary()));
  ADJ_ASSIGN_OR_RETURN(std::int64_t tokens, chooseTokens(options, *module, data));
  std::optional<ParameterSource> source;
  if (!options.params.empty()) {
    ADJ_ASSIGN_OR_RETURN(source, openParameters(*module, options.params));
  }
  ADJ_ASSIGN_OR_RETURN(auto evaluator, openEvaluator(module, {options.device, options.threads, tokens, true, {}, {}}));
  ADJ_RETURN_IF_ERROR(source ? loadParameters(*module, *source, *evaluator)
                             : initializeParameters(*module, options.seed, *evaluator));

  std::int64_t batch = module->plan().batch();
  Progress progress(console, options.steps, batch * tokens);
  LossTrend trend(options.steps);
  for (std::int64_t step = 1; step <= options.steps; ++step) {
    Expected<TokenStream> stream = data.sample(batch, tokens, options.seed, step - 1);
    Expected<Evaluation> evaluation =
        stream ? evaluator->valueAndGrad(*stream) : Expected<Evaluation>(tl::unexpected(stream.error()));
    Status status = evaluation ? evaluator->step(options.adamw) : Status(tl::unexpected(evaluation.error()));
    if (!status) {
      progress.finish();
      return tl::unexpected(status.error().in("step " + std::to_string(step)));
    }
    trend.add(step, evaluation->loss);
    progress.report(step, evaluation->loss);
  }
  progress.finish();
  std::ostringstream summary;
  summary << "trained " << options.steps << " steps of " << batch * tokens << " tokens in " << std::fixed
          << std::setprecision(1) << progress.seconds() << " s (" << std::setprecision(0)
          << progress.tokensPerSecond(options.steps) << " tokens/s): loss " << std::setprecision(4) << trend.first
          << " -> " << trend.last << " (means over " << trend.window << " steps)\n";
  ADJ_RETURN_IF_ERROR(saveTensors(*module, *evaluator, Saved::Parameters, writer));
  console.out << summary.str();
  return {};
}
} // namespace

void adjrun::addTrainVerb(CLI::App &app, Action &action) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App *verb =
      addVerb(app, action, "train", "Train with AdamW on random windows of a text or token file", options, runTrain);
  verb->add_option("--data", options->data, "Text (its bytes are the tokens), or an int32 .npy")->required();
  verb->add_option("--params", options->params, "Start from these parameters instead of initial ones");
  verb->add_option("--steps", options->steps, "Optimizer steps")->required()->check(atLeastOne());
  verb->add_option("--lr", options->adamw.learningRate, "Learning rate")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--weight-decay", options->adamw.weightDecay, "Decoupled weight decay")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "Of initial parameters and windows")->capture_default_str();
  verb->add_option("--tokens", options->tokens,
                   "T of a step's sequences; by default 512, or the context or data if shorter")
      ->check(atLeastOne());
  verb->add_option("--out", options->out, "The .safetensors file for the trained parameters (f32)")->required();
  verb->add_option("--checkpoint", options->checkpoint, "Not built yet");
  verb->add_flag("--resume", options->resume, "Not built yet");
  verb->add_option("--device", options->device, "cpu or cuda:N; the module's target by default");
  verb->add_option("--threads", options->threads, "Worker threads; one per core by default");
}
