// Memory of the host that the GPU copies from and to by itself.
#ifndef ADJRT_CUDA_PINNEDMEMORY_H
#define ADJRT_CUDA_PINNEDMEMORY_H

#include "Context.h"

#include <cstddef>

namespace adjrt::cuda {

class PinnedMemory {
public:
  explicit PinnedMemory(const Context &context) : context(context) {}
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory &) = delete;
  PinnedMemory &operator=(const PinnedMemory &) = delete;

  /// At least `bytes`; what it held is lost when it grows, and nothing may be using it. Failed, naming the size, when
  /// the machine does not give that much.
  Status reserve(std::uint64_t bytes);

  std::byte *data() const { return base; }
  std::uint64_t size() const { return bytes; }

private:
  void release();

  const Context &context;
  std::byte *base = nullptr;
  std::uint64_t bytes = 0;
};

} // namespace adjrt::cuda

#endif
