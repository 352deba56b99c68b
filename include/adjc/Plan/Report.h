//===- Report.h - who holds the memory -----------------------------------------------------------------------*- C++
//-*-===//
#ifndef ADJC_PLAN_REPORT_H
#define ADJC_PLAN_REPORT_H

#include "adjc/Plan/Budget.h"

#include <string>
#include <vector>

namespace adjc {

/// A line of "who holds the memory". All of them add up to the predicted peak.
struct Holding {
  std::string name;
  uint64_t bytes = 0;
};

std::vector<Holding> holdingsOf(const MemoryPlan &memory, const MemoryPrediction &prediction);

/// --emit=plan: the plan, its predictions, layouts and buffers, as JSON.
adjrt::Expected<std::string> planAsJson(const MemoryPlan &memory);

/// --emit=report: the same for people.
adjrt::Expected<std::string> planAsText(const MemoryPlan &memory, llvm::StringRef specName);

} // namespace adjc

#endif
