// What processor this is: /proc/cpuinfo.
#ifndef ADJRT_CPU_PROCESSOR_H
#define ADJRT_CPU_PROCESSOR_H

#include <string>
#include <string_view>
#include <unordered_set>

namespace adjrt::cpu {

struct Processor {
  std::string model;                        ///< "model name", or "cpu"
  std::unordered_set<std::string> features; ///< "flags"

  /// Parse the text of /proc/cpuinfo: its first processor.
  static Processor parse(std::string_view text);
  /// This machine's.
  static Processor read();
};

/// Cores that this process may use (its affinity mask), at least 1.
unsigned availableCores();

} // namespace adjrt::cpu

#endif
