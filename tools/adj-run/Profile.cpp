#include "Profile.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

using namespace adjrt;
using namespace adjrun;

namespace {

/// An extent of the module format: factor * ceil(value(unit) / block).
double count(const fb::Extent &extent, const CommandTiming &timing) {
  const std::int64_t units[] = {1, timing.batch, timing.tokens, timing.rows};
  return static_cast<double>(extent.factor() *
                             ((units[static_cast<int>(extent.unit())] + extent.block() - 1) / extent.block()));
}

/// "3072", "rows", "tokens/64": what an extent is, before the number of tokens is known.
std::string spell(const fb::Extent &extent) {
  if (extent.unit() == fb::Unit::one)
    return std::to_string(extent.factor());
  std::string text = fb::EnumNameUnit(extent.unit());
  if (extent.block() != 1)
    text += "/" + std::to_string(extent.block());
  return extent.factor() == 1 ? text : std::to_string(extent.factor()) + " " + text;
}

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
  return *module.table().programs()->Get(program)->blocks()->Get(block)->commands()->Get(index);
}

std::string Profile::kindOf(const fb::Command &command) const {
  if (const auto *dispatch = command.operation_as_Dispatch()) {
    const auto *op = module.table().kernels()->Get(dispatch->kernel())->op();
    return op ? op->str() : "dispatch";
  }
  std::string kind = fb::EnumNameOperation(command.operation_type());
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
  return kind;
}

std::string Profile::describe(const fb::Command &command) const {
  std::string text;
  if (const auto *dispatch = command.operation_as_Dispatch())
    text = module.table().kernels()->Get(dispatch->kernel())->name()->str();
  else if (const auto *gemm = command.operation_as_Gemm())
    text = (gemm->dtype() == fb::DType::f32 ? "gemm " : std::string("gemm ") + fb::EnumNameDType(gemm->dtype()) + " ") +
           spell(*gemm->m()) + " x " + spell(*gemm->n()) + " x " + spell(*gemm->k()) +
           (gemm->accumulate() ? ", added" : "");
  else
    text = kindOf(command);
  return text;
}

std::string Profile::placeOf(const fb::Command &command) const {
  // Names are "kernel at place": the kernel is in a column of its own.
  const std::string name = command.name() ? command.name()->str() : "";
  const std::size_t at = name.find(" at ");
  return at == std::string::npos ? name : name.substr(at + 4);
}

void Profile::add(const CommandTiming &timing) {
  if (timing.program == CommandTiming::kNoProgram)
    return; // a boundary on its way
  const Key key{timing.program, timing.block, timing.command};
  Line &line = lines[key];
  ++line.calls;
  line.seconds += timing.end - timing.begin;
  if (const auto *gemm = command(key).operation_as_Gemm())
    line.flops += 2 * count(*gemm->m(), timing) * count(*gemm->n(), timing) * count(*gemm->k(), timing);
}

void Profile::print(std::ostream &out, int runs) const {
  std::map<std::string, Line> kinds;
  double total = 0, calls = 0;
  for (const auto &[key, line] : lines) {
    total += line.seconds;
    calls += static_cast<double>(line.calls);
    Line &kind = kinds[kindOf(command(key))];
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
    printLine(out, describe(it), placeOf(it), static_cast<double>(line.calls) / runs, line.seconds / runs, total / runs,
              line.flops / runs);
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
