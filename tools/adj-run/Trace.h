// What a session did when, for chrome://tracing and Perfetto.
#ifndef ADJC_TOOLS_ADJRUN_TRACE_H
#define ADJC_TOOLS_ADJRUN_TRACE_H

#include "adjrt/io/File.h"
#include "adjrt/session/Session.h"

#include <vector>

namespace adjrun {

/// Collects the actions of a session's schedule and writes them as Chrome trace events.
class Trace {
public:
  void add(const adjrt::ActionTiming &timing) { timings.push_back(timing); }
  /// Writes the trace and commits the file.
  adjrt::Status write(adjrt::OutputFile &file) const;

private:
  std::vector<adjrt::ActionTiming> timings;
};

} // namespace adjrun

#endif
