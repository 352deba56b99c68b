// The fake's streams and events: what is put on them runs when the test's order says.
#include "FakeState.h"

#include <algorithm>
#include <utility>

using namespace adjrt::test::fake;

std::vector<FakeStream *> adjrt::test::fake::streams;

bool adjrt::test::fake::step(FakeStream &stream, bool force) {
  const FakeOp &first = stream.ops.front();
  if (first.wait && first.wait->reached < first.number) {
    if (!force)
      return false;
    FakeEvent *event = first.wait;
    const std::uint64_t number = first.number;
    FakeStream *from = first.from;
    while (event->reached < number)
      step(*from, true);
  }
  const FakeOp op = std::move(stream.ops.front());
  stream.ops.pop_front();
  if (op.work)
    op.work();
  if (op.reach) {
    op.reach->reached = op.number;
    op.reach->milliseconds = state.milliseconds;
  }
  return true;
}

void adjrt::test::fake::finish(FakeStream &stream) {
  while (!stream.ops.empty())
    step(stream, true);
}

/// What runs without being waited for.
static void goOn() {
  if (!state.othersFirst) {
    finish(*streams.front());
    return;
  }
  for (std::size_t i = 1; i < streams.size(); ++i)
    while (!streams[i]->ops.empty() && step(*streams[i], false))
      ;
}

void adjrt::test::fake::put(FakeStream *stream, FakeOp op) {
  stream->ops.push_back(std::move(op));
  goOn();
}

void adjrt::test::fake::putWork(Stream handle, std::function<void()> work) {
  auto *stream = reinterpret_cast<FakeStream *>(handle);
  if (state.captured == handle)
    state.capture->push_back(std::move(work));
  else
    put(stream, {std::move(work)});
}

extern "C" {

Result cuStreamCreate(Stream *stream, unsigned flags) {
  ENTER("cuStreamCreate");
  streams.push_back(new FakeStream);
  *stream = reinterpret_cast<Stream>(streams.back());
  ++state.streams;
  return flags == kStreamNonBlocking ? kSuccess : 1;
}
Result cuStreamDestroy_v2(Stream stream) {
  auto *gone = reinterpret_cast<FakeStream *>(stream);
  std::erase(streams, gone);
  delete gone;
  --state.streams;
  return kSuccess;
}
Result cuStreamSynchronize(Stream stream) {
  ENTER("cuStreamSynchronize", true);
  if (state.capture)
    return 900; // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  finish(*reinterpret_cast<FakeStream *>(stream));
  return kSuccess;
}
Result cuStreamWaitEvent(Stream stream, Event event, unsigned flags) {
  ENTER("cuStreamWaitEvent");
  auto *awaited = reinterpret_cast<FakeEvent *>(event);
  if (flags)
    return 1;
  if (awaited->recorded)
    put(reinterpret_cast<FakeStream *>(stream), {{}, nullptr, awaited, awaited->recorded, awaited->stream});
  return kSuccess;
}
Result cuEventCreate(Event *event, unsigned flags) {
  ENTER("cuEventCreate");
  *event = reinterpret_cast<Event>(new FakeEvent{(flags & kEventNoTiming) == 0});
  ++state.events;
  return kSuccess;
}
Result cuEventDestroy_v2(Event event) {
  delete reinterpret_cast<FakeEvent *>(event);
  --state.events;
  return kSuccess;
}
Result cuEventRecord(Event handle, Stream stream) {
  ENTER("cuEventRecord");
  auto *event = reinterpret_cast<FakeEvent *>(handle);
  event->stream = reinterpret_cast<FakeStream *>(stream);
  put(event->stream, {{}, event, nullptr, ++event->recorded});
  return kSuccess;
}
Result cuEventElapsedTime(float *milliseconds, Event from, Event to) {
  ENTER("cuEventElapsedTime");
  const FakeEvent &begin = *reinterpret_cast<FakeEvent *>(from), &end = *reinterpret_cast<FakeEvent *>(to);
  if (!begin.timed || !end.timed || begin.milliseconds < 0 || end.milliseconds < 0)
    return 400; // CUDA_ERROR_INVALID_HANDLE
  *milliseconds = static_cast<float>(end.milliseconds - begin.milliseconds);
  return kSuccess;
}
Result cuEventSynchronize(Event handle) {
  ENTER("cuEventSynchronize", true);
  const FakeEvent &event = *reinterpret_cast<FakeEvent *>(handle);
  while (event.reached < event.recorded)
    step(*event.stream, true);
  return kSuccess;
}

} // extern "C"
