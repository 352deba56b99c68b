//===- Driver.h - from a spec file to OUT -------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_DRIVER_DRIVER_H
#define ADJC_DRIVER_DRIVER_H

#include "adjc/Driver/Options.h"

namespace adjc {

/// Compiles and writes. Nothing is written when it fails.
adjrt::Status compile(const DriverOptions &options);

/// adjc's main: the exit code is 0 when done, 2 when the command line or the spec is wrong, 1 when the work failed.
/// Errors go to stderr.
int runAdjc(int argc, const char *const *argv);

} // namespace adjc

#endif
