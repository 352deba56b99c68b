#include "Processor.h"

#include <fstream>
#include <iterator>
#include <sched.h>
#include <sstream>
#include <thread>

namespace adjrt::cpu {

Processor Processor::parse(std::string_view text) {
  Processor result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() && !result.features.empty())
      break; // the first processor's entry ends here
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      continue;
    const std::string value(line.substr(std::min(line.size(), colon + 2)));
    if (line.starts_with("model name"))
      result.model = value;
    if (line.starts_with("flags")) {
      std::istringstream words(value);
      result.features = {std::istream_iterator<std::string>(words), {}};
    }
  }
  if (result.model.empty())
    result.model = "cpu";
  return result;
}

Processor Processor::read() {
  std::ifstream file("/proc/cpuinfo");
  return parse(std::string{std::istreambuf_iterator<char>(file), {}});
}

unsigned availableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
    return static_cast<unsigned>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

} // namespace adjrt::cpu
