//===- Options.h - adjc's command line ----------------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_DRIVER_OPTIONS_H
#define ADJC_DRIVER_OPTIONS_H

#include "adjc/Plan/Plan.h"
#include "adjrt/support/Status.h"

#include <string>

namespace adjc {

/// What OUT holds.
enum class Emit { Module, Ssm, Adj, Llvm, Ptx, Plan, Report, Html };

/// A checked command line.
struct DriverOptions {
  std::string spec;
  std::string output = "-"; ///< "-": standard output
  Emit emit = Emit::Module;
  std::string target = "cpu";
  std::string cpu = "native";
  PlanOptions plan;
};

/// Parses and checks adjc's arguments. An option that is not built yet, or not for this target, is InvalidInput and
/// says so. Help and version texts are not errors: they are returned in `printed` (not empty), to be printed before
/// exiting with 0.
adjrt::Expected<DriverOptions> parseOptions(int argc, const char *const *argv, std::string &printed);

/// Bytes of "80GB" (80e9), "75GiB" (75 x 2^30), "1.5GB", "4096". InvalidInput says which option is wrong.
adjrt::Expected<uint64_t> parseSize(const std::string &option, const std::string &text);

} // namespace adjc

#endif
