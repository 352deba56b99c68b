//===- Pipelines.cpp - every pass of adjc, by name ----------------------------------------------------------------===//
#include "adjc/Pipelines/Pipelines.h"

#include "adjc/Adjoint/Passes.h"
#include "adjc/Expand/Passes.h"
#include "adjc/Form/Passes.h"
#include "adjc/Kernels/Passes.h"
#include "adjc/Plan/Passes.h"
#include "adjc/Precision/Passes.h"
#include "adjc/Shard/Passes.h"
#include "adjc/Target/CPU/Passes.h"
#include "adjc/Target/GPU/Passes.h"
#include "adjc/Target/Math/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void adjc::buildProgramsPipeline(OpPassManager &manager, const std::string &dtype) {
  manager.addPass(createDropUnreached());
  manager.addPass(createExpandLayers());
  manager.addPass(createLowerPrecision({dtype}));
  manager.addPass(createDeriveAdjoint());
  manager.addPass(createExpandComplex());
  manager.addPass(createShardTokens());
  manager.addPass(createCSEPass());
}

void adjc::buildPolicyPipeline(OpPassManager &manager, const PlanOptions &options) {
  ChoosePoliciesOptions pass;
  pass.batch = options.batch;
  pass.shard = options.shard;
  pass.context = options.context;
  pass.miniSequence = options.miniSequence;
  pass.budget = options.budget;
  pass.budgetText = options.budgetText;
  pass.policy = options.policy;
  for (const TapeChoice &choice : options.keep)
    pass.keep.push_back(choice.name + "=" + stringifyKeep(choice.keep).str());
  pass.boundaries = options.boundaries;
  pass.dtype = options.dtype;
  pass.adamw = options.adamw;
  pass.gpu = options.gpu;
  pass.machine = options.machine;
  manager.addPass(createChoosePolicies(pass));
  manager.addPass(createRecompute());
  manager.addPass(createOffload());
}

void adjc::buildKernelsPipeline(OpPassManager &manager) {
  manager.addPass(createFusePointwise());
  manager.addPass(createFormKernels());
}

void adjc::registerAdjcPasses() {
  registerExpandPasses();
  registerPrecisionPasses();
  registerAdjointPasses();
  registerShardPasses();
  registerPlanPasses();
  registerFormPasses();
  registerKernelsPasses();
  registerTargetMathPasses();
  registerTargetCPUPasses();
  registerTargetGPUPasses();
  registerCanonicalizerPass();
  registerCSEPass();
  PassPipelineRegistration<>("adj-programs", "From a model to its programs for one token shard",
                             [](OpPassManager &manager) { buildProgramsPipeline(manager); });
  PassPipelineRegistration<>("adj-kernels", "From planned programs to dispatches of kernels", buildKernelsPipeline);
  PassPipelineRegistration<>("adj-cpu-to-llvm", "From lowered kernels to the LLVM dialect", buildCpuPipeline);
  PassPipelineRegistration<>("adj-gpu-to-nvvm", "From kernels lowered for a GPU to the NVVM dialect", buildGpuPipeline);
}
