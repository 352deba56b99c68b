// The verbs of adj-run, one file each.
#ifndef ADJC_TOOLS_ADJRUN_VERBS_H
#define ADJC_TOOLS_ADJRUN_VERBS_H

#include "Console.h"
#include "adjrt/support/Status.h"

#include <CLI/CLI.hpp>
#include <functional>

namespace adjrun {

/// The work that the command line asks for.
using Action = std::function<adjrt::Status(Console &)>;

// Each adds a subcommand that sets `action` when it is used.
void addInitVerb(CLI::App &app, Action &action);
void addGradVerb(CLI::App &app, Action &action);
void addCheckVerb(CLI::App &app, Action &action);
void addTrainVerb(CLI::App &app, Action &action);
void addBenchVerb(CLI::App &app, Action &action);
void addInfoVerb(CLI::App &app, Action &action);

/// Adds a subcommand with the positional MODULE; `run(options, console)` does the work. `Options` has a member
/// `module`.
template <typename Options>
CLI::App *addVerb(CLI::App &app, Action &action, const char *name, const char *description,
                  const std::shared_ptr<Options> &options, adjrt::Status (*run)(const Options &, Console &)) {
  CLI::App *verb = app.add_subcommand(name, description);
  verb->add_option("MODULE", options->module, "The module file (.adjm) that adjc wrote")->required();
  verb->callback(
      [options, run, &action] { action = [options, run](Console &console) { return run(*options, console); }; });
  return verb;
}

/// A number of tokens, runs or steps: at least 1.
inline CLI::Validator atLeastOne() {
  return CLI::Validator(
      [](std::string &text) {
        std::int64_t value = 0;
        return CLI::detail::lexical_cast(text, value) && value >= 1
                   ? std::string()
                   : "'" + text + "' is not a whole number of at least 1";
      },
      "N >= 1");
}

} // namespace adjrun

#endif
