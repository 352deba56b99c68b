// Host to GPU and back through pinned buffers: the driver copies from and to them without the host waiting.
#ifndef ADJRT_CUDA_STAGING_H
#define ADJRT_CUDA_STAGING_H

#include "Context.h"

#include <array>
#include <cstddef>
#include <span>

namespace adjrt::cuda {

class Staging {
public:
  /// The buffers take turns: a shard's few rows of tokens do not wait for the program before them.
  static constexpr std::size_t kBytes = std::size_t(256) << 10, kBuffers = 32;

  static Expected<std::unique_ptr<Staging>> make(const Context &context);
  ~Staging();
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;

  /// Returns when `source` may be changed; the copy itself is done in the stream's order.
  Status upload(Address destination, std::span<const std::byte> source);

  /// Returns when everything before it in the stream, and the copy, is done. An error of that work is returned here.
  Status download(Address source, std::span<std::byte> destination);

private:
  explicit Staging(const Context &context) : context(context) {}

  struct Buffer {
    std::byte *data = nullptr;
    Event done = nullptr; ///< the last copy from or to it
  };
  Buffer &next() { return buffers[turn = (turn + 1) % kBuffers]; }

  const Context &context;
  std::array<Buffer, kBuffers> buffers;
  std::size_t turn = 0;
};

} // namespace adjrt::cuda

#endif
