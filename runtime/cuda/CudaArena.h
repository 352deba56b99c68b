// The arena on a GPU: one range of addresses, as large as the GPU's memory, of which the beginning is backed by memory.
// Growing backs more of it, so that addresses stay and nothing is copied.
#ifndef ADJRT_CUDA_CUDAARENA_H
#define ADJRT_CUDA_CUDAARENA_H

#include "Context.h"

#include <vector>

namespace adjrt::cuda {

class CudaArena {
public:
  explicit CudaArena(const Context &context) : context(context) {}
  ~CudaArena();
  CudaArena(const CudaArena &) = delete;
  CudaArena &operator=(const CudaArena &) = delete;

  /// At least `bytes`, what it held kept and the rest zero (set on the stream). Failed, naming both sizes, when the GPU
  /// does not have that much memory.
  Status reserve(std::uint64_t bytes);

  Address data() const { return base; }
  std::uint64_t size() const { return bytes; }

private:
  struct Part {
    AllocationHandle handle;
    std::uint64_t offset, bytes;
  };
  Status back(std::uint64_t more);

  const Context &context;
  Address base = 0;
  std::uint64_t reserved = 0, bytes = 0, granularity = 0;
  std::vector<Part> parts;
};

} // namespace adjrt::cuda

#endif
