//===- Pipelines.h - every pass of adjc, by name -------------------------------------------------------*- C++ -*-===//
#ifndef ADJC_PIPELINES_PIPELINES_H
#define ADJC_PIPELINES_PIPELINES_H

#include "adjc/Plan/Plan.h"

namespace mlir {
class OpPassManager;
}

namespace adjc {

/// Registers every pass of adjc, the upstream clean-ups used between them, and the pipelines, under their names.
void registerAdjcPasses();

/// `adj-programs`: from a verified `ssm.model` to the programs `forward` and `gradient` for one token shard, on
/// tensors. `dtype` is what activations are stored in: "f32" or "bf16".
void buildProgramsPipeline(mlir::OpPassManager &manager, const std::string &dtype = "f32");
/// adj-choose-policies with the command line's options; pipelines have no name for it, the pass has options of its own.
void buildPolicyPipeline(mlir::OpPassManager &manager, const PlanOptions &options);
/// `adj-kernels`: from programs with a plan to dispatches of kernels.
void buildKernelsPipeline(mlir::OpPassManager &manager);

} // namespace adjc

#endif
