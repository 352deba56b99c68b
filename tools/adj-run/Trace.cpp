// The Chrome trace event format: complete events ("X"), times in microseconds.
#include "Trace.h"

#include <nlohmann/json.hpp>

using namespace adjrt;
using namespace adjrun;

static const char *nameOf(adjrt::Action::Kind kind) {
  switch (kind) {
  case adjrt::Action::Kind::Forward:
    return "forward";
  case adjrt::Action::Kind::Recompute:
    return "recompute";
  case adjrt::Action::Kind::Save:
    return "save";
  case adjrt::Action::Kind::Restore:
    return "restore";
  case adjrt::Action::Kind::Gradient:
    return "gradient";
  case adjrt::Action::Kind::End:
    return "end";
  }
  return "";
}

Status Trace::write(OutputFile &file) const {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const ActionTiming &timing : timings)
    events.push_back({{"name", std::string(nameOf(timing.action.kind)) + " " + std::to_string(timing.action.index)},
                      {"cat", "schedule"},
                      {"ph", "X"},
                      {"ts", timing.begin * 1e6},
                      {"dur", (timing.end - timing.begin) * 1e6},
                      {"pid", 0},
                      {"tid", 0},
                      {"args", {{"index", timing.action.index}, {"shards", timing.shards}}}});
  std::string text = nlohmann::ordered_json{{"traceEvents", events}, {"displayTimeUnit", "ms"}}.dump() + "\n";
  ADJ_RETURN_IF_ERROR(file.writeAt(0, std::as_bytes(std::span(text))));
  return file.commit();
}
