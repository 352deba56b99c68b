// What a session did when, for chrome://tracing and Perfetto.
#ifndef ADJC_TOOLS_ADJRUN_TRACE_H
#define ADJC_TOOLS_ADJRUN_TRACE_H

#include "adjrt/io/File.h"
#include "adjrt/session/Session.h"

#include <string>
#include <vector>

namespace adjrun {

/// Collects the actions of a session's schedule and the commands they ran, and writes them as Chrome trace events on
/// four tracks: schedule, compute, to host, to device.
class Trace {
public:
  explicit Trace(const adjrt::Module &module) : module(module) {}

  /// Commands come before the action that ran them.
  void add(const adjrt::CommandTiming &timing) { commands.push_back(timing); }
  void add(const adjrt::ActionTiming &timing);
  /// Writes the trace and commits the file.
  adjrt::Status write(adjrt::OutputFile &file) const;

private:
  /// Commands [previous action's `end`, end) belong to an action. `offset`: from the device's clock to the session's.
  struct Step {
    adjrt::ActionTiming timing;
    std::size_t end;
    double offset;
  };
  /// Whether its program is one that an action runs: that which prepares parameters comes before them.
  bool isOfShard(const adjrt::CommandTiming &command) const;
  std::string describe(const adjrt::CommandTiming &timing, double offset, const adjrt::ActionTiming &action) const;

  const adjrt::Module &module;
  std::vector<adjrt::CommandTiming> commands;
  std::vector<Step> steps;
};

} // namespace adjrun

#endif
