#include "Memory.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <sys/resource.h>

namespace adjrt::cpu {
namespace {

/// The value in bytes of a "Key:   123 kB" line of a /proc file.
std::optional<std::uint64_t> procValue(const char *path, const char *key) {
  std::FILE *file = std::fopen(path, "r");
  if (!file)
    return std::nullopt;
  std::optional<std::uint64_t> result;
  char line[256];
  const std::size_t length = std::strlen(key);
  while (!result && std::fgets(line, sizeof line, file)) {
    unsigned long long kilobytes = 0;
    if (std::strncmp(line, key, length) == 0 && line[length] == ':' &&
        std::sscanf(line + length + 1, "%llu", &kilobytes) == 1)
      result = kilobytes * 1024;
  }
  std::fclose(file);
  return result;
}

} // namespace

DeviceMemory processMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto peak =
      procValue("/proc/self/status", "VmHWM").value_or(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
  const auto current = procValue("/proc/self/status", "VmRSS").value_or(peak);
  return {current, std::max(current, peak)};
}

std::uint64_t availableMemory() {
  return procValue("/proc/meminfo", "MemAvailable").value_or(std::numeric_limits<std::uint64_t>::max());
}

} // namespace adjrt::cpu
