// From arguments to a verb, and from its status to an exit code.
#include "CommandLine.h"
#include "Ranks.h"
#include "Verbs.h"

#include <algorithm>
#include <new>

using namespace adjrt;

int adjrun::runCommandLine(std::vector<std::string> arguments, Console console) {
  CLI::App app("Runs what adjc compiled: loss and gradients of a module, their certificate, training.", "adj-run");
  app.set_version_flag("--version", "adj-run 0.1.0");
  app.require_subcommand(1);
  Action action;
  addInitVerb(app, action);
  addGradVerb(app, action);
  addCheckVerb(app, action);
  addTrainVerb(app, action);
  addBenchVerb(app, action);
  addInfoVerb(app, action);
  // CLI11 would only say that a subcommand is missing.
  auto isVerb = [&](const CLI::App *verb) { return verb->get_name() == arguments.front(); };
  if (!arguments.empty() && arguments.front().rfind('-', 0) != 0 && app.get_subcommands(isVerb).empty()) {
    console.err << "adj-run: error: '" << arguments.front()
                << "' is not a verb; use init, grad, check, train, bench or info" << std::endl;
    return 2;
  }
  std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError &error) {
    return app.exit(error, console.out, console.err) == 0 ? 0 : 2;
  }
  Status status = refuseSeveralRanks();
  try {
    if (status)
      status = action(console);
  } catch (const std::bad_alloc &) {
    status = failed("out of memory; use a shorter context, a smaller module, or a machine with more");
  }
  console.out.flush();
  if (status && !console.out)
    status = failed("standard output cannot be written; what was printed is lost");
  if (status)
    return 0;
  console.err << "adj-run: error: " << status.error().message << std::endl;
  return status.error().kind == ErrorKind::InvalidInput ? 2 : 1;
}
