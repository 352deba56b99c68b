#include "CommandTimer.h"

#include <utility>

namespace adjrt::cuda {

CommandTimer::~CommandTimer() {
  const Driver &api = context.driver();
  const Context::Current current(context);
  (void)context.wait();
  for (Event event : events)
    api.eventDestroy(event);
  if (last)
    api.eventDestroy(last);
  for (const Moved &it : moved) {
    api.eventWait(it.end);
    unused.insert(unused.end(), {it.begin, it.end});
  }
  for (Event event : unused)
    api.eventDestroy(event);
}

Status CommandTimer::start() {
  const Driver &api = context.driver();
  if (last)
    return {};
  ADJ_RETURN_IF_ERROR(api.check(api.eventCreate(&last, kEventDefault), "cuEventCreate"));
  return api.check(api.eventRecord(last, context.stream()), "cuEventRecord");
}

Expected<Event> CommandTimer::recordOn(Stream stream) {
  const Driver &api = context.driver();
  Event event = nullptr;
  if (unused.empty())
    ADJ_RETURN_IF_ERROR(api.check(api.eventCreate(&event, kEventDefault), "cuEventCreate"));
  else
    event = unused.back(), unused.pop_back();
  if (const Status status = api.check(api.eventRecord(event, stream), "cuEventRecord"); !status) {
    unused.push_back(event);
    return tl::unexpected<Error>(status.error());
  }
  return event;
}

Status CommandTimer::transfer(const CommandTiming &timing, Stream stream, const std::function<Status(Stream)> &copy) {
  ADJ_RETURN_IF_ERROR(start());
  ADJ_ASSIGN_OR_RETURN(const Event begin, recordOn(stream));
  Expected<Event> end = copy(stream).and_then([&] { return recordOn(stream); });
  if (!end) {
    unused.push_back(begin);
    return tl::unexpected<Error>(end.error());
  }
  moved.push_back({timing, begin, *end});
  return {};
}

Status CommandTimer::record() {
  const Driver &api = context.driver();
  if (used == events.size()) {
    Event event = nullptr;
    ADJ_RETURN_IF_ERROR(api.check(api.eventCreate(&event, kEventDefault), "cuEventCreate"));
    events.push_back(event);
  }
  return api.check(api.eventRecord(events[used++], context.stream()), "cuEventRecord");
}

Status CommandTimer::begin() {
  used = 0;
  timings.clear();
  ADJ_RETURN_IF_ERROR(start());
  return record();
}

Status CommandTimer::mark(const program::Scope &scope) {
  timings.push_back({0, scope.block, scope.command, scope.layer, scope.batch, scope.tokens, scope.rows, 0, 0});
  return record();
}

Status CommandTimer::reportMoved(std::uint32_t program, const CommandObserver &observer) {
  const Driver &api = context.driver();
  while (!moved.empty()) {
    Moved &it = moved.front();
    ADJ_RETURN_IF_ERROR(api.check(api.eventWait(it.end), "cuEventSynchronize"));
    float before = 0, during = 0;
    ADJ_RETURN_IF_ERROR(api.check(api.eventElapsed(&before, last, it.begin), "cuEventElapsedTime"));
    ADJ_RETURN_IF_ERROR(api.check(api.eventElapsed(&during, it.begin, it.end), "cuEventElapsedTime"));
    if (it.timing.program != CommandTiming::kNoProgram)
      it.timing.program = program;
    it.timing.begin = clock + static_cast<double>(before) * 1e-3;
    it.timing.end = it.timing.begin + static_cast<double>(during) * 1e-3;
    observer(it.timing);
    unused.insert(unused.end(), {it.begin, it.end});
    moved.pop_front();
  }
  return {};
}

Status CommandTimer::report(std::uint32_t program, const CommandObserver &observer) {
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(context.wait());
  // Added up from event to event: one difference over a long time is a float of milliseconds with few digits left.
  const auto advance = [&](Event from, Event to) -> Status {
    float milliseconds = 0;
    ADJ_RETURN_IF_ERROR(api.check(api.eventElapsed(&milliseconds, from, to), "cuEventElapsedTime"));
    clock += static_cast<double>(milliseconds) * 1e-3;
    return {};
  };
  ADJ_RETURN_IF_ERROR(reportMoved(program, observer));
  ADJ_RETURN_IF_ERROR(advance(last, events[0]));
  for (std::size_t i = 0; i < timings.size(); ++i) {
    CommandTiming &timing = timings[i];
    timing.program = program;
    timing.begin = clock;
    ADJ_RETURN_IF_ERROR(advance(events[i], events[i + 1]));
    timing.end = clock;
    observer(timing);
  }
  std::swap(last, events[used - 1]);
  return {};
}

} // namespace adjrt::cuda
