//===- ReportText.cpp - --emit=report -----------------------------------------------------------------------------===//
#include "adjc/Plan/Report.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using llvm::formatv;

namespace adjc {

namespace {

/// "12.35": bytes in MB, rounded up.
std::string inMegabytes(uint64_t bytes) { return StringRef(formatSize(bytes, "MB")).drop_back(2).str(); }

/// "12.3 s", "45.6 ms": three digits.
std::string inSeconds(double seconds) {
  if (seconds >= 100)
    return formatv("{0:f0} s", seconds).str();
  if (seconds >= 1)
    return formatv("{0:f2} s", seconds).str();
  if (seconds >= 1e-3)
    return formatv("{0:f2} ms", seconds * 1e3).str();
  return formatv("{0:f1} us", seconds * 1e6).str();
}

std::string rateOf(const Candidate &candidate) {
  double tokens = static_cast<double>(candidate.plan.batch) * static_cast<double>(candidate.plan.context);
  return formatv("{0:f0}", tokens / candidate.seconds).str();
}

class TextReport {
public:
  TextReport(const PlanReport &report, llvm::raw_ostream &out)
      : report(report), memory(*report.memory), plan(memory.plan), out(out) {}

  void write() {
    writeChoices();
    writeTape();
    writeHoldings();
    writePeak();
    writeTime();
    writeAlternatives();
    writeBudgets();
  }

private:
  void line(StringRef name, const Twine &value) { out << formatv("  {0,-16}{1}\n", name, value.str()); }

  void writeChoices() {
    out << "plan of " << report.spec << "\n\n";
    line("context", Twine(plan.context) + " tokens (longest planned for)");
    line("shard", Twine(plan.shard) + " tokens x batch " + Twine(plan.batch) + ", " + Twine(plan.shards()) + " shards");
    line("mini-sequence", Twine(plan.miniSequence) + " rows");
    line("boundaries", Twine(plan.boundaries) + ", " + Twine(report.prediction.slots) + " slots of " +
                           formatSize(memory.carries.bytes(), "MB"));
    line("policy", policyOf(plan));
    line("stored in", plan.dtype);
    line("predicted", inSeconds(report.cost.seconds) + ", " + formatv("{0:f0}", report.cost.tokensPerSecond()).str() +
                          " tokens/s on " + report.machine->description);
    out << "\n";
  }

  void writeTape() {
    if (plan.tape.empty())
      return;
    out << "what layers keep for their adjoints, in MB for all layers of a shard\n\n";
    for (const TapeChoice &choice : plan.tape)
      out << formatv("  {0,-40}{1,12}  {2}\n", choice.name, inMegabytes(choice.bytes), stringifyKeep(choice.keep));
    out << "\n";
  }

  void writeHoldings() {
    out << "who holds the memory, in MB\n\n";
    for (const Holding &holding : report.holdings)
      if (holding.bytes != 0)
        out << formatv("  {0,-16}{1,12}\n", holding.name, inMegabytes(holding.bytes));
    out << formatv("  {0,-16}{1,12}\n", "predicted peak", inMegabytes(report.prediction.peak));
    if (plan.gpu && report.prediction.host > 0)
      out << formatv("  {0,-16}{1,12}\n", "on the host", inMegabytes(report.prediction.host));
    out << formatv("  {0,-16}{1,12}\n\n", "budget", inMegabytes(plan.budget));
  }

  void writePeak() {
    const Timeline &timeline = report.peakTimeline();
    if (timeline.commands.empty())
      return;
    size_t number = timeline.peakCommand();
    const TimelineCommand &command = timeline.commands[number];
    out << "the peak, of what programs make, is at command " << number << " of " << timeline.commands.size()
        << " of program '" << timeline.program << "': " << command.name;
    if (!command.place.empty())
      out << " at " << command.place;
    out << "\n" << inMegabytes(command.heldBytes()) << " MB are live there, the largest being, in MB\n\n";
    constexpr size_t most = 10;
    uint64_t rest = 0;
    for (auto [index, buffer] : llvm::enumerate(timeline.heldAt(number))) {
      if (index >= most) {
        rest += buffer->bytes;
        continue;
      }
      std::string what = nameOf(buffer->use).str();
      if (buffer->layers > 1)
        what += " of " + std::to_string(buffer->layers) + " layers";
      if (!buffer->place.empty())
        what += ", made at " + buffer->place;
      out << formatv("  {0,-28}{1,12}  {2}\n", buffer->name, inMegabytes(buffer->bytes), what);
    }
    if (rest > 0)
      out << formatv("  {0,-28}{1,12}\n", "all else", inMegabytes(rest));
    out << "\n";
  }

  void writeTime() {
    const CallCost &cost = report.cost;
    out << "where the time goes, predicted\n\n";
    out << formatv("  {0,-28}{1,12}{2,8}{3,12}{4,12}\n", "kind", "time", "%", "GB/s", "TFLOP/s");
    SmallVector<unsigned> order = llvm::to_vector(llvm::seq(0u, kWorkKinds));
    llvm::stable_sort(order, [&](unsigned a, unsigned b) { return cost.by.kind[a] > cost.by.kind[b]; });
    for (unsigned kind : order) {
      double seconds = cost.by.kind[kind];
      if (seconds <= 0)
        continue;
      std::string flops = cost.by.flops[kind] > 0 ? formatv("{0:f2}", cost.by.flops[kind] / seconds / 1e12).str() : "";
      out << formatv("  {0,-28}{1,12}{2,8:f1}{3,12:f1}{4,12}\n", nameOf(static_cast<WorkKind>(kind)),
                     inSeconds(seconds), 100 * seconds / cost.seconds, cost.by.bytes[kind] / seconds / 1e9, flops);
    }
    out << formatv("  {0,-28}{1,12}\n", "together", inSeconds(cost.seconds));
    out << formatv("\n  {0} forward runs of {1}, {2} gradient runs of {3} on full shards, {4} once\n\n", cost.forwards,
                   inSeconds(cost.forwardSeconds), cost.gradients, inSeconds(cost.gradientSeconds),
                   inSeconds(cost.otherSeconds));
  }

  void writeAlternatives() {
    out << "what other choices would give, each alone\n\n";
    out << formatv("  {0,-16}{1,-27}{2,12}{3,12}{4,12}\n", "choice", "", "peak MB", "time", "tokens/s");
    StringRef last;
    for (const Alternative &alternative : report.alternatives.list) {
      const Candidate &candidate = alternative.candidate;
      const char *remark = alternative.chosen ? "  chosen" : candidate.peak > plan.budget ? "  over the budget" : "";
      out << formatv("  {0,-16}{1,-27}{2,12}{3,12}{4,12}{5}\n", alternative.choice == last ? "" : alternative.choice,
                     alternative.value, inMegabytes(candidate.peak), inSeconds(candidate.seconds), rateOf(candidate),
                     remark);
      last = alternative.choice;
    }
    out << "\n";
  }

  void writeBudgets() {
    out << "what other budgets would give\n\n";
    out << formatv("  {0,12}{1,12}{2,12}{3,8}  {4,-15}{5,-25}{6,12}{7,12}\n", "budget MB", "peak MB", "shard", "mini",
                   "boundaries", "policy", "time", "tokens/s");
    for (const BudgetOffer &offer : report.alternatives.budgets) {
      if (!offer.best) {
        out << formatv("  {0,12}  nothing fits\n", inMegabytes(offer.budget));
        continue;
      }
      const Candidate &best = *offer.best;
      out << formatv("  {0,12}{1,12}{2,12}{3,8}  {4,-15}{5,-25}{6,12}{7,12}{8}\n", inMegabytes(offer.budget),
                     inMegabytes(best.peak), best.plan.shard, best.plan.miniSequence, best.plan.boundaries,
                     policyOf(best.plan), inSeconds(best.seconds), rateOf(best),
                     offer.asked      ? "  asked for"
                     : offer.smallest ? "  the smallest that works"
                                      : "");
    }
  }

  const PlanReport &report;
  const MemoryPlan &memory;
  const Plan &plan;
  llvm::raw_ostream &out;
};

} // namespace

std::string reportAsText(const PlanReport &report) {
  std::string text;
  llvm::raw_string_ostream out(text);
  TextReport(report, out).write();
  return text;
}

} // namespace adjc
