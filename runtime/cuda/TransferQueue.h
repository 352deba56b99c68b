// Transfers between the arena and host memory: a stream for each direction, and what waits for what.
#ifndef ADJRT_CUDA_TRANSFERQUEUE_H
#define ADJRT_CUDA_TRANSFERQUEUE_H

#include "Context.h"

#include <array>
#include <deque>
#include <functional>
#include <vector>

namespace adjrt::cuda {

/// The two streams beside the context's, on which everything is computed.
class TransferStreams {
public:
  static Expected<std::unique_ptr<TransferStreams>> make(const Context &context);
  ~TransferStreams();
  TransferStreams(const TransferStreams &) = delete;
  TransferStreams &operator=(const TransferStreams &) = delete;

  Stream operator[](bool toHost) const { return streams[toHost]; }

private:
  explicit TransferStreams(const Context &context) : context(context) {}
  const Context &context;
  std::array<Stream, 2> streams{}; ///< to the device, to the host
};

/// Transfers of one direction, in order. Each begins when the context's stream has done what was put on it before.
class TransferQueue {
public:
  TransferQueue(const Context &context, Stream stream) : context(context), stream(stream) {}
  ~TransferQueue();
  TransferQueue(const TransferQueue &) = delete;
  TransferQueue &operator=(const TransferQueue &) = delete;

  /// Put a transfer on the queue: `copy` puts it on the stream it is given.
  Status add(const std::function<Status(Stream)> &copy);
  /// One that moves nothing.
  void addEmpty() { ended.push_back(nullptr); }
  /// What is put on the context's stream from now on waits for all transfers but the last `behind`.
  Status await(std::uint64_t behind);

private:
  Expected<Event> newEvent();

  const Context &context;
  Stream stream;
  std::deque<Event> ended;   ///< of the transfers that nothing awaited yet; null: an empty one
  std::vector<Event> unused; ///< events that were waited for
  Event begun = nullptr;     ///< the context's stream at the last transfer
};

} // namespace adjrt::cuda

#endif
