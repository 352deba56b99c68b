//===- ProgramCost.h - the commands of a module's programs, counted ------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_COST_PROGRAMCOST_H
#define ADJC_PLAN_COST_PROGRAMCOST_H

#include "adjc/Plan/Cost/Machine.h"

#include <map>
#include <vector>

namespace adjc {

struct ProgramPlan;
struct Plan;

/// One command of a program.
struct CommandWork {
  std::string name; ///< the kernel's launch, "gemm" or "copy"
  std::string op;   ///< the kind that `adj-run bench --profile` prints: "ssm.scan", "gemm", "copy"
  mlir::Operation *operation = nullptr;
  Work work;
  int64_t layers = 1;               ///< how often a pass over the stack runs it
  bool inMini = false;              ///< once per mini-sequence
  mlir::Operation *stack = nullptr; ///< the ssm.repeat it stands in
};

/// Seconds by something.
struct SecondsBy {
  std::map<std::string, double> op;                ///< as `adj-run bench --profile` groups them
  std::array<double, kWorkKinds> kind{};           ///< as reports do
  std::array<double, kWorkKinds> bytes{}, flops{}; ///< what the kinds move, and multiply
  double total = 0;

  void add(const SecondsBy &other, double times);
};

/// What one program does for a shard. Transfers run beside the other commands of their stack of layers: they cost what
/// they take longer than those.
struct ProgramWork {
  std::string name; ///< "forward", "gradient" or "prepare"
  std::vector<CommandWork> commands;

  /// Seconds of one run for `tokens` tokens of each sequence.
  double secondsOf(const Machine &machine, int64_t batch, int64_t tokens, int64_t miniSequence) const;
  SecondsBy secondsBy(const Machine &machine, int64_t batch, int64_t tokens, int64_t miniSequence) const;
};

/// Seconds that a command takes in one run of its program, by itself.
double secondsOfCommand(const CommandWork &command, const Machine &machine, int64_t batch, int64_t tokens,
                        int64_t miniSequence);

/// Counts the programs of `module`, which must be in the form that `adj-form-kernels` leaves.
mlir::FailureOr<std::vector<ProgramWork>> countPrograms(mlir::ModuleOp module, KernelTarget target);

/// Adds the copies that a plan could not avoid.
void addCopies(ProgramWork &work, const ProgramPlan &plan);

} // namespace adjc

#endif
