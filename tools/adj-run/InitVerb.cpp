// adj-run init: a parameters file from the spec's initializers.
#include "ModuleParameters.h"
#include "Verbs.h"
#include "adjrt/initialize/Initialize.h"

using namespace adjrt;
using namespace adjrun;

namespace {
struct InitOptions {
  std::string module, out;
  std::uint64_t seed = 0;
};

Status runInit(const InitOptions &options, Console &) {
  ADJ_ASSIGN_OR_RETURN(auto module, Module::load(options.module));
  ADJ_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::create(options.out, listParameters(*module)));
  std::vector<float> buffer(kPiece);
  ADJ_RETURN_IF_ERROR(forEachPiece(*module, [&](std::uint32_t index, std::uint64_t first, std::size_t count) -> Status {
    std::span<float> piece = std::span(buffer).first(count);
    Status status = initializeParameter(*module->table().parameters()->Get(index), options.seed, piece, first);
    if (!status)
      return tl::unexpected(status.error().in(options.module));
    return writer.write(index, piece, first);
  }));
  return writer.commit();
}
} // namespace

void adjrun::addInitVerb(CLI::App &app, Action &action) {
  auto options = std::make_shared<InitOptions>();
  CLI::App *verb = addVerb(app, action, "init", "Write initial parameters (f32)", options, runInit);
  verb->add_option("--seed", options->seed, "Equal seeds give equal bits, on every machine")->capture_default_str();
  verb->add_option("--out", options->out, "The .safetensors file to write")->required();
}
