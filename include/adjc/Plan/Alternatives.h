//===- Alternatives.h - what other choices, and other budgets, would give ------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_ALTERNATIVES_H
#define ADJC_PLAN_ALTERNATIVES_H

#include "adjc/Plan/Explorer.h"

namespace adjc {

/// The chosen plan with one choice changed.
struct Alternative {
  std::string choice; ///< "shard", "boundaries", "mini-sequence" or "policy"
  std::string value;  ///< "4096 tokens"
  Candidate candidate;
  bool chosen = false; ///< it is the chosen plan
};

/// The best plan within another budget.
struct BudgetOffer {
  uint64_t budget = 0;           ///< bytes
  std::optional<Candidate> best; ///< nothing fits
  bool asked = false;            ///< the budget asked for
  bool smallest = false;         ///< the smallest that works
};

struct Alternatives {
  std::vector<Alternative> list;
  std::vector<BudgetOffer> budgets; ///< ascending
};

/// "store", "recompute", "mixed, 3 of 8 recomputed": how a plan keeps its tape.
std::string policyOf(const Plan &plan);

/// Changes the choices of `chosen` one by one, whatever the options fixed, and looks at the budgets below and above the
/// one asked for.
mlir::FailureOr<Alternatives> findAlternatives(mlir::ModuleOp module, const PlanOptions &options, const Plan &chosen);

} // namespace adjc

#endif
