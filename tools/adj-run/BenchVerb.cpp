// adj-run bench: the time of a gradient on made-up parameters and tokens.
#include "Alone.h"
#include "ModuleParameters.h"
#include "Profile.h"
#include "RandomTokens.h"
#include "RunReport.h"
#include "Verbs.h"

#include <algorithm>

using namespace adjrt;
using namespace adjrun;

namespace {
struct BenchOptions {
  std::string module, device;
  std::int64_t tokens = 0;
  int runs = 5;
  unsigned threads = 0;
  bool profile = false, alone = false;
};

Status runBench(const BenchOptions &options, Console &console) {
  ADJ_ASSIGN_OR_RETURN(auto loaded, Module::load(options.module));
  std::shared_ptr<const Module> module = std::move(loaded);
  const fb::Plan &plan = module->plan();
  std::int64_t tokens = options.tokens > 0 ? options.tokens : std::min(plan.shard(), plan.context());
  if (tokens > plan.context())
    return invalidInput("--tokens " + std::to_string(tokens) + ": " + options.module + " was planned for at most " +
                        std::to_string(plan.context()) + "; compile it with --context=" + std::to_string(tokens) +
                        " or more");
  TokenStream stream = makeRepeatedTokens(*module, tokens, 0);
  EvaluatorOptions evaluatorOptions{options.device, options.threads, tokens, false, {}, {}};
  Profile profile(*module);
  if (options.profile)
    evaluatorOptions.onCommand = [&](const CommandTiming &timing) { profile.add(timing); };
  Alone alone(*module, tokens);
  bool counting = false;
  if (options.alone)
    evaluatorOptions.onAction = [&](const ActionTiming &timing) {
      if (counting)
        alone.add(timing);
    };
  ADJ_ASSIGN_OR_RETURN(auto evaluator, openEvaluator(module, evaluatorOptions));
  if (options.alone)
    ADJ_RETURN_IF_ERROR(evaluator->observeCommands({})); // is it a device that can, before it does the work?
  ADJ_RETURN_IF_ERROR(initializeParameters(*module, 0, *evaluator));
  ADJ_ASSIGN_OR_RETURN(Evaluation evaluation, evaluator->valueAndGrad(stream)); // warms up caches and clocks
  profile.clear();
  std::vector<double> seconds;
  for (int run = 0; run != options.runs; ++run) {
    ADJ_ASSIGN_OR_RETURN(evaluation, evaluator->valueAndGrad(stream));
    seconds.push_back(evaluation.seconds);
  }
  std::sort(seconds.begin(), seconds.end());
  evaluation.seconds = (seconds[(seconds.size() - 1) / 2] + seconds[seconds.size() / 2]) / 2;
  ADJ_ASSIGN_OR_RETURN(MemoryFigures memory, evaluator->memory(tokens));
  if (options.alone) {
    counting = true;
    ADJ_RETURN_IF_ERROR(evaluator->observeCommands([&](const CommandTiming &timing) { alone.add(timing); }));
    ADJ_RETURN_IF_ERROR(evaluator->valueAndGrad(stream));
    ADJ_RETURN_IF_ERROR(evaluator->observeCommands({}));
    ADJ_RETURN_IF_ERROR(alone.measure(*evaluator, stream, options.runs));
    alone.print(console.out, evaluation.seconds);
  }
  if (options.profile)
    profile.print(console.out, options.runs);
  console.out << formatRunReport(evaluation, plan.batch(), tokens, memory, evaluator->deviceName()) << "\n";
  return {};
}
} // namespace

void adjrun::addBenchVerb(CLI::App &app, Action &action) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App *verb = addVerb(
      app, action, "bench",
      "Time a gradient on initial parameters and random tokens; prints grad's line with the median", options, runBench);
  verb->add_option("--tokens", options->tokens, "T; one shard by default")->check(atLeastOne());
  verb->add_option("--runs", options->runs, "Runs after the warm-up")->check(atLeastOne())->capture_default_str();
  verb->add_option("--device", options->device, "cpu, cuda:N or reference; the module's target by default");
  verb->add_option("--threads", options->threads, "Worker threads; one per core by default");
  CLI::Option *profile = verb->add_flag("--profile", options->profile,
                                        "First tables: the time of each command and of each kind inside a gradient");
  verb->add_flag("--alone", options->alone,
                 "First tables: the same, and the time of each when nothing else runs, against the whole")
      ->excludes(profile);
}
