#include "Profile.h"
#include "CommandNames.h"

#include <algorithm>
#include <iomanip>

using namespace adjrt;
using namespace adjrun;

namespace {

void printLine(std::ostream &out, const std::string &name, const std::string &what, double calls, double seconds,
               double total, double flops) {
  out << "  " << std::left << std::setw(36) << name << std::setw(32) << what << std::right << std::fixed
      << std::setprecision(0) << std::setw(7) << calls << std::setprecision(2) << std::setw(11) << seconds * 1e3
      << std::setprecision(1) << std::setw(8) << (total > 0 ? 100 * seconds / total : 0);
  if (flops > 0)
    out << std::setw(9) << flops / seconds / 1e9;
  out << "\n";
}

void printHead(std::ostream &out, const std::string &name, const std::string &what) {
  out << "  " << std::left << std::setw(36) << name << std::setw(32) << what << std::right << std::setw(7) << "calls"
      << std::setw(11) << "ms" << std::setw(8) << "%" << std::setw(9) << "GFLOP/s"
      << "\n";
}

} // namespace

const fb::Command &Profile::command(const Key &key) const {
  const auto &[program, block, index] = key;
  return commandAt(module, {program, block, index});
}

void Profile::add(const CommandTiming &timing) {
  if (timing.program == CommandTiming::kNoProgram)
    return; // a boundary on its way
  const Key key{timing.program, timing.block, timing.command};
  Line &line = lines[key];
  ++line.calls;
  line.seconds += timing.end - timing.begin;
  line.flops += flopsOf(command(key), timing);
}

void Profile::print(std::ostream &out, int runs) const {
  std::map<std::string, Line> kinds;
  double total = 0, calls = 0;
  for (const auto &[key, line] : lines) {
    total += line.seconds;
    calls += static_cast<double>(line.calls);
    Line &kind = kinds[kindOf(module, command(key))];
    kind.calls += line.calls;
    kind.seconds += line.seconds;
    kind.flops += line.flops;
  }
  std::uint32_t program = ~0u;
  for (const auto &[key, line] : lines) {
    if (std::get<0>(key) != program) {
      program = std::get<0>(key);
      printHead(out, module.table().programs()->Get(program)->name()->str(), "from");
    }
    const fb::Command &it = command(key);
    printLine(out, describe(module, it), placeOf(it), static_cast<double>(line.calls) / runs, line.seconds / runs,
              total / runs, line.flops / runs);
  }
  std::vector<std::pair<std::string, Line>> sorted(kinds.begin(), kinds.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto &a, const auto &b) { return a.second.seconds > b.second.seconds; });
  printHead(out, "kind", "");
  for (const auto &[name, line] : sorted)
    printLine(out, name, "", static_cast<double>(line.calls) / runs, line.seconds / runs, total / runs,
              line.flops / runs);
  printLine(out, "total", "", calls / runs, total / runs, total / runs, 0);
}
