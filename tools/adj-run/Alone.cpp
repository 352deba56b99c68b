#include "Alone.h"
#include "CommandNames.h"

#include <algorithm>
#include <iomanip>

using namespace adjrt;
using namespace adjrun;

/// A command's kind, as it counts in the comparison with the whole; null: as something else.
static const char *partOf(const std::string &kind) {
  if (kind == "gemm")
    return "products";
  if (kind == "ssm.scan" || kind == "adj.scan_adjoint")
    return "recurrences";
  if (kind == "copy" || kind == "fill")
    return "copies";
  return kind == "transfer" ? "transfers" : nullptr;
}

Alone::Line &Alone::Line::operator+=(const Line &other) {
  calls += other.calls;
  inside += other.inside;
  alone += other.alone;
  flops += other.flops;
  return *this;
}

void Alone::add(const ActionTiming &timing) {
  const adjrt::Action::Kind kind = timing.action.kind;
  const bool gradient = kind == adjrt::Action::Kind::Gradient;
  if (!gradient && kind != adjrt::Action::Kind::Forward && kind != adjrt::Action::Kind::Recompute)
    return;
  const auto &programs = *module.table().programs();
  for (std::uint32_t i = 0; i != programs.size(); ++i)
    if (programs[i]->name()->string_view() == (gradient ? "gradient" : "forward"))
      ++runs[{i, std::min(module.plan().shard(), tokens - timing.action.index * module.plan().shard())}];
}

void Alone::add(const CommandTiming &timing) {
  if (timing.program == CommandTiming::kNoProgram)
    return;
  const fb::Command &command = commandAt(module, {timing.program, timing.block, timing.command});
  if (command.operation_as_Await())
    return;
  Line &line = lines[{timing.program, timing.block, timing.command, timing.tokens}];
  line += {1, timing.end - timing.begin, 0, flopsOf(command, timing)};
}

Status Alone::measure(Evaluator &evaluator, const TokenStream &stream, int times) {
  for (auto &[key, line] : lines) {
    const auto &[program, block, command, length] = key;
    ADJ_ASSIGN_OR_RETURN(const double seconds, evaluator.timeAlone(stream, {program, block, command}, length, times));
    line.alone = seconds * runs[{program, length}];
  }
  return {};
}

void Alone::printHead(std::ostream &out, const std::string &name, const std::string &what) {
  out << "  " << std::left << std::setw(36) << name << std::setw(32) << what << std::right << std::setw(7) << "calls"
      << std::setw(11) << "ms inside" << std::setw(11) << "alone" << std::setw(8) << "%" << std::setw(9) << "GFLOP/s"
      << "\n";
}

void Alone::printLine(std::ostream &out, const std::string &name, const std::string &what, const Line &line,
                      double whole) {
  out << "  " << std::left << std::setw(36) << name << std::setw(32) << what << std::right << std::fixed << std::setw(7)
      << line.calls << std::setprecision(2) << std::setw(11) << line.inside * 1e3 << std::setw(11) << line.alone * 1e3
      << std::setprecision(1) << std::setw(8) << 100 * line.alone / whole;
  if (line.flops > 0 && line.alone > 0)
    out << std::setw(9) << line.flops / line.alone / 1e9;
  out << "\n";
}

void Alone::print(std::ostream &out, double whole) const {
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, Line> commands; // of any length
  std::map<std::string, Line> kinds;
  std::map<std::string, double> parts;
  Line total;
  for (const auto &[key, line] : lines) {
    const auto &[program, block, command, length] = key;
    const std::string kind = kindOf(module, commandAt(module, {program, block, command}));
    commands[{program, block, command}] += line;
    kinds[kind] += line;
    total += line;
    if (const char *part = partOf(kind))
      parts[part] += line.alone;
  }
  std::uint32_t last = ~0u;
  for (const auto &[key, line] : commands) {
    const auto &[program, block, index] = key;
    if (program != last)
      printHead(out, module.table().programs()->Get(program)->name()->str(), "from");
    last = program;
    const fb::Command &command = commandAt(module, {program, block, index});
    printLine(out, describe(module, command), placeOf(command), line, whole);
  }
  std::vector<std::pair<std::string, Line>> sorted(kinds.begin(), kinds.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto &a, const auto &b) { return a.second.alone > b.second.alone; });
  printHead(out, "kind", "");
  for (const auto &[name, line] : sorted)
    printLine(out, name, "", line, whole);
  total.flops = 0; // a rate of all commands would say nothing
  printLine(out, "total", "", total, whole);
  const double named = parts["products"] + parts["recurrences"] + parts["copies"];
  const auto milliseconds = [&](double seconds) -> std::ostream & {
    return out << std::fixed << std::setprecision(2) << seconds * 1e3 << " ms";
  };
  out << "alone: products ";
  milliseconds(parts["products"]) << ", recurrences ";
  milliseconds(parts["recurrences"]) << ", copies ";
  milliseconds(parts["copies"]) << "; together ";
  milliseconds(named) << " of ";
  milliseconds(whole) << ", " << std::setprecision(3) << named / whole << " of the whole gradient\n";
  if (parts.contains("transfers")) {
    out << "alone: transfers, which run beside the rest, ";
    milliseconds(parts["transfers"]) << "; with them " << std::setprecision(3) << (named + parts["transfers"]) / whole
                                     << "\n";
  }
}
