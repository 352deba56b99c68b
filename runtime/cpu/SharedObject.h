// A module's native code: opened from memory, without a file on disk.
#ifndef ADJRT_CPU_SHAREDOBJECT_H
#define ADJRT_CPU_SHAREDOBJECT_H

#include "adjrt/abi.h"
#include "adjrt/support/Status.h"

#include <cstddef>
#include <span>
#include <string>

namespace adjrt::cpu {

class SharedObject {
public:
  static Expected<SharedObject> open(std::span<const std::byte> image);
  SharedObject(SharedObject &&other) noexcept : handle(other.handle) { other.handle = nullptr; }
  SharedObject &operator=(SharedObject &&other) noexcept {
    std::swap(handle, other.handle);
    return *this;
  }
  ~SharedObject();

  /// The kernel exported under `name`; InvalidInput when there is none.
  Expected<adj_cpu_kernel> kernel(const std::string &name) const;

private:
  explicit SharedObject(void *handle) : handle(handle) {}
  void *handle;
};

} // namespace adjrt::cpu

#endif
