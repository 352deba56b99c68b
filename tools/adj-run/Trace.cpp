// The Chrome trace event format: complete events ("X"), times in microseconds.
#include "Trace.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <limits>

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
  case adjrt::Action::Kind::Offload:
    return "offload";
  case adjrt::Action::Kind::Prefetch:
    return "prefetch";
  case adjrt::Action::Kind::Gradient:
    return "gradient";
  case adjrt::Action::Kind::End:
    return "end";
  }
  return "";
}

/// Tracks, in the order in which viewers show them.
static constexpr const char *kTracks[] = {"schedule", "compute", "to host", "to device"};

static nlohmann::ordered_json event(const std::string &name, const std::string &category, std::size_t track,
                                    double begin, double end, nlohmann::ordered_json args) {
  return {{"name", name},
          {"cat", category},
          {"ph", "X"},
          {"ts", begin * 1e6},
          {"dur", (end - begin) * 1e6},
          {"pid", 0},
          {"tid", track},
          {"args", std::move(args)}};
}

/// The device has a clock of its own. An action contains the commands it computed: that bounds what lies between the
/// clocks, and of what is possible the value of the action before is taken, or the nearest to it.
void Trace::add(const ActionTiming &timing) {
  const std::size_t first = steps.empty() ? 0 : steps.back().end;
  const double before = steps.empty() ? -std::numeric_limits<double>::infinity() : steps.back().offset;
  double least = -std::numeric_limits<double>::infinity(), most = -least;
  for (std::size_t i = first; i < commands.size(); ++i) {
    const CommandTiming &command = commands[i];
    if (command.program == CommandTiming::kNoProgram || !isOfShard(command))
      continue;
    least = std::max(least, timing.begin - command.begin);
    most = std::min(most, timing.end - command.end);
  }
  const double offset = std::max(least, std::min(most, before));
  steps.push_back({timing, commands.size(), offset});
}

bool Trace::isOfShard(const CommandTiming &command) const {
  return module.table().programs()->Get(command.program)->name()->string_view() != "prepare";
}

std::string Trace::describe(const CommandTiming &timing, double offset, const ActionTiming &action) const {
  const double begin = timing.begin + offset, end = timing.end + offset;
  const std::size_t track = 1 + static_cast<std::size_t>(timing.queue);
  if (timing.program == CommandTiming::kNoProgram)
    return event(timing.queue == Queue::ToHost ? "boundary to host" : "boundary to device", "boundary", track, begin,
                 end, {{"bytes", timing.bytes}})
        .dump();
  const fb::Program &program = *module.table().programs()->Get(timing.program);
  const fb::Command &command = *program.blocks()->Get(timing.block)->commands()->Get(timing.command);
  std::string kind = fb::EnumNameOperation(command.operation_type());
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
  nlohmann::ordered_json args{{"program", program.name()->str()},
                              {"shard", action.action.index},
                              {"layer", timing.layer},
                              {"tokens", timing.tokens},
                              {"rows", timing.rows}};
  if (timing.queue != Queue::Compute)
    args["bytes"] = timing.bytes;
  return event(command.name() && command.name()->size() ? command.name()->str() : kind, kind, track, begin, end,
               std::move(args))
      .dump();
}

Status Trace::write(OutputFile &file) const {
  // Event by event: a long sequence has millions of them.
  constexpr std::size_t kChunk = std::size_t(1) << 20;
  std::string text = "{\"traceEvents\":[\n";
  std::uint64_t written = 0;
  const auto flush = [&]() -> Status {
    ADJ_RETURN_IF_ERROR(file.writeAt(written, std::as_bytes(std::span(text))));
    written += text.size();
    text.clear();
    return {};
  };
  for (std::size_t track = 0; track < std::size(kTracks); ++track)
    text +=
        nlohmann::ordered_json{
            {"name", "thread_name"}, {"ph", "M"}, {"pid", 0}, {"tid", track}, {"args", {{"name", kTracks[track]}}}}
            .dump() +
        ",\n" +
        nlohmann::ordered_json{
            {"name", "thread_sort_index"}, {"ph", "M"}, {"pid", 0}, {"tid", track}, {"args", {{"sort_index", track}}}}
            .dump() +
        ",\n";
  std::size_t first = 0;
  for (const Step &step : steps) {
    const ActionTiming &timing = step.timing;
    text += event(std::string(nameOf(timing.action.kind)) + " " + std::to_string(timing.action.index), "schedule", 0,
                  timing.begin, timing.end, {{"index", timing.action.index}, {"shards", timing.shards}})
                .dump() +
            ",\n";
    // A transfer before all that was computed is timed by what was computed next.
    double offset = step.offset;
    for (const Step *later = &step; !std::isfinite(offset) && later != steps.data() + steps.size(); ++later)
      offset = later->offset;
    for (; first < step.end; ++first) {
      text += describe(commands[first], std::isfinite(offset) ? offset : 0, timing) + ",\n";
      if (text.size() > kChunk)
        ADJ_RETURN_IF_ERROR(flush());
    }
  }
  text += nlohmann::ordered_json{{"name", "process_name"}, {"ph", "M"}, {"pid", 0}, {"args", {{"name", module.path()}}}}
              .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
          "\n],\"displayTimeUnit\":\"ms\"}\n";
  ADJ_RETURN_IF_ERROR(flush());
  return file.commit();
}
