//===- Machine.h - how fast a target moves and computes ------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_COST_MACHINE_H
#define ADJC_PLAN_COST_MACHINE_H

#include "adjc/Plan/Cost/Work.h"

#include <array>

namespace adjc {

/// The rates of one target. All are per second, of the whole machine; lib/Plan/Cost/Machines.cpp says where each figure
/// comes from, docs/cost-model.md how they are used.
struct Machine {
  llvm::StringLiteral target;      ///< as --target spells it
  llvm::StringLiteral description; ///< the machine that the rates are of
  double memory;                   ///< bytes to and from memory, read plus written
  double cache;                    ///< the same, of what the last cache holds
  double cacheBytes;               ///< that it holds
  double products;                 ///< FLOP of large matrix products in f32
  double bf16Products;             ///< the same in bf16
  double exponentials;             ///< special functions
  double operations;               ///< other scalar operations
  double launch;                   ///< seconds that a command costs beside its work
  double program;                  ///< seconds that a run of a program costs beside its commands
  double link;                     ///< bytes to or from the host's memory, one way
  double processors;               ///< groups that it takes to fill it
  /// By WorkKind: the share of the rates that kernels of this kind reach.
  std::array<double, kWorkKinds> efficiency;
  /// By WorkKind: groups per processor that must be resident to reach it.
  std::array<double, kWorkKinds> residents;

  /// Seconds of one command: the slowest of its resources, over its efficiency and over the share of the machine that
  /// its groups fill, and the launch.
  double secondsOf(const Work &work, const ShardSizes &sizes) const;

  /// The table for "cpu", "sm_80", "sm_90", "sm_90a" or "sm_100"; null for another name.
  static const Machine *find(llvm::StringRef target);
  static llvm::ArrayRef<Machine> all();
};

} // namespace adjc

#endif
