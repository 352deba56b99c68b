//===- Report.h - what a plan says about itself -------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_REPORT_H
#define ADJC_PLAN_REPORT_H

#include "adjc/Plan/Alternatives.h"
#include "adjc/Plan/Timeline.h"

#include <string>
#include <vector>

namespace adjc {

/// A line of "who holds the memory". All of them add up to the predicted peak.
struct Holding {
  std::string name;
  uint64_t bytes = 0;
};

std::vector<Holding> holdingsOf(const MemoryPlan &memory, const MemoryPrediction &prediction);

/// All that is said about a plan.
struct PlanReport {
  std::string spec; ///< the spec's file
  const MemoryPlan *memory = nullptr;
  const Machine *machine = nullptr;
  MemoryPrediction prediction; ///< for the plan's context
  std::vector<Holding> holdings;
  CallCost cost; ///< for the plan's context
  std::vector<Timeline> timelines;
  Alternatives alternatives;

  /// The program whose fixed part is largest, and its command at which most is live: where the peak is.
  const Timeline &peakTimeline() const;
};

/// Makes the report of `memory`, planned for `formed` (whose kernels are formed, and which is not changed). `programs`
/// is the module as adj-shard-tokens left it, in which alternatives are looked for; `options` is what was asked.
adjrt::Expected<PlanReport> makeReport(llvm::StringRef spec, mlir::ModuleOp programs, mlir::ModuleOp formed,
                                       const MemoryPlan &memory, const PlanOptions &options);

/// --emit=plan: the plan, its predictions, layouts, buffers and commands, as JSON.
std::string reportAsJson(const PlanReport &report);
/// --emit=report: the same for people.
std::string reportAsText(const PlanReport &report);
/// --emit=html: the same as a page that needs nothing else.
std::string reportAsHtml(const PlanReport &report);

} // namespace adjc

#endif
