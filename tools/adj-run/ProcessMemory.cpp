// Reads /proc/self/status. Not getrusage: its maximum is inherited from the process that started this one.
#include "ProcessMemory.h"

#include <fstream>
#include <string>

std::uint64_t adjrun::processPeakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0)
      return std::stoull(line.substr(6)) * 1024;
  return 0;
}
