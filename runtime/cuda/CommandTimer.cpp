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
  return record();
}

Status CommandTimer::mark(const program::Scope &scope) {
  timings.push_back({0, scope.block, scope.command, scope.layer, scope.batch, scope.tokens, scope.rows, 0, 0});
  return record();
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
  if (last)
    ADJ_RETURN_IF_ERROR(advance(last, events[0]));
  for (std::size_t i = 0; i < timings.size(); ++i) {
    CommandTiming &timing = timings[i];
    timing.program = program;
    timing.begin = clock;
    ADJ_RETURN_IF_ERROR(advance(events[i], events[i + 1]));
    timing.end = clock;
    observer(timing);
  }
  if (last) {
    std::swap(last, events[used - 1]);
  } else {
    last = std::exchange(events[used - 1], events.back());
    events.pop_back();
  }
  return {};
}

} // namespace adjrt::cuda
