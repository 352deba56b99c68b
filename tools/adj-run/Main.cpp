// adj-run: see CommandLine.h.
#include "CommandLine.h"

#include <iostream>
#include <unistd.h>

int main(int argc, char **argv) {
  return adjrun::runCommandLine({argv + 1, argv + argc}, {std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1});
}
