// The command line of adj-run.
#ifndef ADJC_TOOLS_ADJRUN_COMMANDLINE_H
#define ADJC_TOOLS_ADJRUN_COMMANDLINE_H

#include "Console.h"

#include <string>
#include <vector>

namespace adjrun {

/// Parses `arguments` (without the program's name), runs the verb, and returns the exit code: 0 done, 1 the work
/// failed, 2 the command line or the input is wrong. Errors go to `console.err`.
int runCommandLine(std::vector<std::string> arguments, Console console);

} // namespace adjrun

#endif
