// The arena on the CPU, or its host memory: one anonymous mapping, resident from the start.
#ifndef ADJRT_CPU_ARENA_H
#define ADJRT_CPU_ARENA_H

#include "adjrt/support/Status.h"

#include <cstddef>
#include <cstdint>

namespace adjrt::cpu {

class Arena {
public:
  /// `what` it is, for errors.
  explicit Arena(const char *what) : what(what) {}
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;

  /// At least `bytes`, all resident, what it held kept and the rest zero. It may move. Failed, naming both sizes, when
  /// the machine does not have that much memory.
  Status reserve(std::uint64_t bytes);

  std::byte *data() const { return base; }
  std::uint64_t size() const { return bytes; }

private:
  const char *what;
  std::byte *base = nullptr;
  std::uint64_t bytes = 0;
};

} // namespace adjrt::cpu

#endif
