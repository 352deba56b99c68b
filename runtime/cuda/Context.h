// One GPU as a process sees it: its primary context, its limits, and the stream on which everything runs.
#ifndef ADJRT_CUDA_CONTEXT_H
#define ADJRT_CUDA_CONTEXT_H

#include "Driver.h"

#include <string>

namespace adjrt::cuda {

struct GpuProperties {
  std::string name;
  int major = 0, minor = 0;                         ///< compute capability
  std::uint32_t maxThreads = 0, maxSharedBytes = 0; ///< of a block
  std::uint64_t maxPitch = 0;                       ///< bytes between rows that a 2-D copy can take
  std::uint64_t totalBytes = 0;
};

class Context {
public:
  /// GPU `ordinal`. InvalidInput when there is none of that number, or it lacks virtual memory management.
  static Expected<std::unique_ptr<Context>> open(std::shared_ptr<const Driver> driver, int ordinal);
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  const Driver &driver() const { return *api; }
  const GpuProperties &properties() const { return gpu; }
  Stream stream() const { return computeStream; }
  int ordinal() const { return index; }

  /// Wait for all work of the stream.
  Status wait() const { return api->check(api->streamWait(computeStream), "cuStreamSynchronize"); }

  /// Makes the context the calling thread's while it lives, and gives the thread back its own after: the embedding
  /// program may use another.
  class Current {
  public:
    explicit Current(const Context &context) : api(*context.api) { api.contextPush(context.handle); }
    ~Current() {
      ContextHandle popped;
      api.contextPop(&popped);
    }
    Current(const Current &) = delete;
    Current &operator=(const Current &) = delete;

  private:
    const Driver &api;
  };

private:
  explicit Context(std::shared_ptr<const Driver> driver) : api(std::move(driver)) {}
  Status readProperties();

  std::shared_ptr<const Driver> api;
  int index = 0;
  DeviceHandle device = 0;
  ContextHandle handle = nullptr;
  Stream computeStream = nullptr;
  GpuProperties gpu;
};

} // namespace adjrt::cuda

#endif
