#include "TransferQueue.h"

namespace adjrt::cuda {

Expected<std::unique_ptr<TransferStreams>> TransferStreams::make(const Context &context) {
  std::unique_ptr<TransferStreams> result(new TransferStreams(context));
  const Driver &api = context.driver();
  for (Stream &stream : result->streams)
    ADJ_RETURN_IF_ERROR(api.check(api.streamCreate(&stream, kStreamNonBlocking), "cuStreamCreate"));
  return result;
}

TransferStreams::~TransferStreams() {
  const Driver &api = context.driver();
  const Context::Current current(context);
  for (Stream stream : streams)
    if (stream) {
      api.streamWait(stream);
      api.streamDestroy(stream);
    }
}

TransferQueue::~TransferQueue() {
  const Driver &api = context.driver();
  const Context::Current current(context);
  api.streamWait(stream);
  (void)context.wait();
  for (Event event : ended)
    if (event)
      api.eventDestroy(event);
  for (Event event : unused)
    api.eventDestroy(event);
  if (begun)
    api.eventDestroy(begun);
}

Expected<Event> TransferQueue::newEvent() {
  const Driver &api = context.driver();
  Event event = nullptr;
  if (!unused.empty()) {
    event = unused.back();
    unused.pop_back();
  } else {
    ADJ_RETURN_IF_ERROR(api.check(api.eventCreate(&event, kEventNoTiming), "cuEventCreate"));
  }
  return event;
}

Status TransferQueue::add(const std::function<Status(Stream)> &copy) {
  const Driver &api = context.driver();
  if (!begun)
    ADJ_RETURN_IF_ERROR(api.check(api.eventCreate(&begun, kEventNoTiming), "cuEventCreate"));
  ADJ_RETURN_IF_ERROR(api.check(api.eventRecord(begun, context.stream()), "cuEventRecord"));
  ADJ_RETURN_IF_ERROR(api.check(api.streamWaitEvent(stream, begun, 0), "cuStreamWaitEvent"));
  ADJ_RETURN_IF_ERROR(copy(stream));
  ADJ_ASSIGN_OR_RETURN(Event event, newEvent());
  ended.push_back(event);
  return api.check(api.eventRecord(event, stream), "cuEventRecord");
}

Status TransferQueue::await(std::uint64_t behind) {
  const Driver &api = context.driver();
  Event last = nullptr; // the queue is in order: the last one to wait for stands for those before
  while (ended.size() > behind) {
    if (Event event = ended.front()) {
      if (last)
        unused.push_back(last);
      last = event;
    }
    ended.pop_front();
  }
  if (!last)
    return {};
  unused.push_back(last); // recorded again only after this call, which fixes what is waited for
  return api.check(api.streamWaitEvent(context.stream(), last, 0), "cuStreamWaitEvent");
}

} // namespace adjrt::cuda
