// adj-run grad: loss and gradients of one batch of sequences.
#include "ModuleParameters.h"
#include "RunReport.h"
#include "Trace.h"
#include "Verbs.h"

#include <optional>

using namespace adjrt;
using namespace adjrun;

namespace {
struct GradOptions {
  std::string module, params, out, device, trace;
  TokenFiles files;
  unsigned threads = 0;
};

Status runGrad(const GradOptions &options, Console &console) {
  ADJ_ASSIGN_OR_RETURN(auto loaded, Module::load(options.module));
  std::shared_ptr<const Module> module = std::move(loaded);
  if (!options.trace.empty() && options.device == "reference")
    return invalidInput("--trace: the reference device offers no timing; use the module's own device");
  // Everything that can be wrong with the input or the output is found before the work starts.
  const TokenFiles &files = options.files;
  ADJ_RETURN_IF_ERROR(checkDistinct(std::vector<NamedPath>{{"--out", options.out}, {"--trace", options.trace}},
                                    std::vector<NamedPath>{{"MODULE", options.module},
                                                           {"--params", options.params},
                                                           {"--tokens", files.tokens},
                                                           {"--targets", files.targets},
                                                           {"--resets", files.resets}}));
  ADJ_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(options.out, listParameters(*module)));
  std::optional<OutputFile> traceFile;
  if (!options.trace.empty()) {
    ADJ_ASSIGN_OR_RETURN(traceFile, OutputFile::create(options.trace));
  }
  TokenLimits limits{module->plan().batch(), module->plan().vocabulary(), module->plan().context()};
  ADJ_ASSIGN_OR_RETURN(TokenStream stream, TokenStream::read(options.files, limits));
  ADJ_ASSIGN_OR_RETURN(ParameterSource source, openParameters(*module, options.params));

  Trace trace(*module);
  EvaluatorOptions evaluatorOptions{options.device, options.threads, stream.tokens, false, {}, {}};
  if (traceFile) {
    evaluatorOptions.onAction = [&](const ActionTiming &timing) { trace.add(timing); };
    evaluatorOptions.onCommand = [&](const CommandTiming &timing) { trace.add(timing); };
  }
  ADJ_ASSIGN_OR_RETURN(auto evaluator, openEvaluator(module, evaluatorOptions));
  ADJ_RETURN_IF_ERROR(loadParameters(*module, source, *evaluator));
  ADJ_ASSIGN_OR_RETURN(Evaluation evaluation, evaluator->valueAndGrad(stream));
  ADJ_RETURN_IF_ERROR(saveTensors(*module, *evaluator, Saved::Gradients, writer));
  if (traceFile)
    ADJ_RETURN_IF_ERROR(trace.write(*traceFile));
  ADJ_ASSIGN_OR_RETURN(MemoryFigures memory, evaluator->memory(stream.tokens));
  console.out << formatRunReport(evaluation, stream.batch, stream.tokens, memory, evaluator->deviceName()) << "\n";
  return {};
}
} // namespace

void adjrun::addGradVerb(CLI::App &app, Action &action) {
  auto options = std::make_shared<GradOptions>();
  CLI::App *verb = addVerb(app, action, "grad", "Loss and gradients; prints one line of JSON", options, runGrad);
  verb->add_option("--params", options->params, "A .safetensors file, a model.safetensors.index.json, or a folder")
      ->required();
  verb->add_option("--tokens", options->files.tokens,
                   "int32 .npy, (batch, T+1); with --targets the inputs alone, (batch, T)")
      ->required();
  verb->add_option("--targets", options->files.targets, "int32 .npy, (batch, T); -100 is not counted");
  verb->add_option("--resets", options->files.resets, "uint8 .npy, (batch, T): 1 where a document begins");
  verb->add_option("--out", options->out, "The .safetensors file for the gradients (f32)")->required();
  verb->add_option("--device", options->device, "cpu, cuda:N or reference; the module's target by default");
  verb->add_option("--threads", options->threads, "Worker threads; one per core by default");
  verb->add_option(
      "--trace", options->trace,
      "Write what ran when, for Perfetto and chrome://tracing; the run waits for more than it does without");
}
