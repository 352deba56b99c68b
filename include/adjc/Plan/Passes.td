//===- Passes.td - policies and memory -----------------------------------------------------------------------------===//
#ifndef ADJC_PLAN_PASSES_TD
#define ADJC_PLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChoosePolicies : Pass<"adj-choose-policies", "::mlir::ModuleOp"> {
  let summary = "Chooses shard, mini-sequence and boundaries for a memory budget";
  let description = [{
    Tries shard lengths, mini-sequence lengths and boundary policies: each candidate's memory is planned as `adj-plan-memory` will plan it, and the
    fastest of those within the budget, by the cost model (docs/cost-model.md) with the rates of `machine`, is written down as the module's
    `adj.plan`. `adj.lm_loss_adjoint` becomes `adj.mini_sequences` (arXiv 2407.15892): the logits of one mini-sequence, their cotangents in
    their place, the rows of the input's cotangent, and the weight's gradient accumulated. Every `adj.mini_sequences`, that of a loss or of an MLP,
    gets the chosen length.

    Fails, naming the smallest budget that would do, when nothing fits.
  }];
  let options = [
    Option<"batch", "batch", "int64_t", "1", "Sequences per rank">,
    Option<"shard", "shard", "int64_t", "0", "Tokens per shard; 0: chosen">,
    Option<"context", "context", "int64_t", "65536", "The longest sequence planned for, in tokens">,
    Option<"miniSequence", "mini-sequence", "int64_t", "0", "Rows of a mini-sequence; 0: chosen, -1: the whole shard">,
    Option<"budget", "budget", "uint64_t", "8000000000", "Bytes for everything">,
    Option<"budgetText", "budget-text", "std::string", "\"8GB\"", "The budget as it was given, for messages">,
    Option<"policy", "policy", "std::string", "\"auto\"", "What is kept for adjoints: auto, store, recompute or offload">,
    ListOption<"keep", "keep", "std::string", "What becomes of single values whatever the policy says: `VALUE=store`, `VALUE=recompute` or `VALUE=offload`">,
    Option<"boundaries", "boundaries", "std::string", "\"auto\"", "auto, device, host or binomial:N">,
    Option<"dtype", "dtype", "std::string", "\"f32\"", "What activations are stored in: f32 or bf16">,
    Option<"adamw", "adamw", "bool", "false", "The state of AdamW is resident">,
    Option<"gpu", "gpu", "bool", "false", "The target is a GPU: bytes are device memory">,
    Option<"machine", "machine", "std::string", "\"\"", "Whose rates predict seconds: cpu, sm_80, sm_90, sm_90a or sm_100; empty: cpu, or sm_90 with gpu">,
  ];
  // A plan for a GPU looks at kernels, which are written to find out what they need.
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def Recompute : Pass<"adj-recompute", "::mlir::ModuleOp"> {
  let summary = "Computes again in the reverse what layers would keep for their adjoints";
  let description = [{
    Drops values from the tape, the stacked results of a forward `ssm.repeat` that the reverse one takes as slices: the reverse body gets a copy of the
    operations that make them, from what is still kept, the layer's input (kept from now on, if it was not), parameters, the shard's arguments and
    what the shard before handed over. Nothing is handed over twice. Each copy stands just before its first use. Values are the same bit for bit.

    Which values: those that the module's plan (`adj.plan`) recomputes, or `values`. A value is named after who makes it: "mixer.in_proj output" after the
    parameters read, "scan0 checkpoints" after the name of what is carried, "layer input".

    Fails, listing the values that can be computed again, when a name is none of them.
  }];
  let options = [
    ListOption<"values", "values", "std::string", "The values to compute again, or `all`, or `none`; without, those of the plan">,
  ];
  let statistics = [Statistic<"numRecomputed", "values-recomputed", "values that layers do not keep">];
  let dependentDialects = ["::mlir::adj::AdjDialect", "::mlir::tensor::TensorDialect"];
}

def Offload : Pass<"adj-offload", "::mlir::ModuleOp"> {
  let summary = "Keeps in host memory what layers keep for their adjoints";
  let description = [{
    Values of the tape (see adj-recompute) leave device memory after a layer's forward, by `adj.offload`, and are fetched by `adj.prefetch` while the reverse
    of the layer after is running. In device memory two layers take turns in one place. Which values: those that the module's plan (`adj.plan`)
    offloads, or `values`.

    Fails, listing the values that can be offloaded, when a name is none of them. A stack of one or two layers has none.
  }];
  let options = [
    ListOption<"values", "values", "std::string", "The values to offload, or `all`, or `none`; without, those of the plan">,
  ];
  let statistics = [Statistic<"numOffloaded", "values-offloaded", "values that layers keep in host memory">];
  let dependentDialects = ["::mlir::adj::AdjDialect"];
}

def PlanMemory : Pass<"adj-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Gives every value of the programs a place";
  let description = [{
    Programs then run on `adj.buffer`s: places in the arena, the parameters, the gradients or a boundary. Values that never live at the same time share
    memory; views are parts of a whole into which their producers write; what a layer keeps for its adjoint is written straight into the tape, one
    instance per layer; a carried value has one place that elementwise operations update. Where none of this is possible a copy is made.
    Kernels get the row strides of their operands; a kernel used with different ones is cloned.
  }];
  let statistics = [Statistic<"arenaBytes", "arena-bytes", "the programs' fixed part, in bytes">,
                    Statistic<"numCopies", "copies", "copies that could not be avoided">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif
