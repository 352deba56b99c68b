//===- Pipelines.cpp - every pass of adjc, by name ----------------------------------------------------------------===//
#include "adjc/Pipelines/Pipelines.h"

#include "adjc/Adjoint/Passes.h"
#include "adjc/Expand/Passes.h"
#include "adjc/Kernels/Passes.h"
#include "adjc/Shard/Passes.h"
#include "adjc/Target/CPU/Passes.h"
#include "mlir/Transforms/Passes.h"

void adjc::registerAdjcPasses() {
  registerExpandPasses();
  registerAdjointPasses();
  registerShardPasses();
  registerKernelsPasses();
  registerTargetCPUPasses();
  mlir::PassPipelineRegistration<>("adj-cpu-to-llvm", "From lowered kernels to the LLVM dialect", buildCpuPipeline);
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
}
