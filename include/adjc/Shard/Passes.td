//===- Passes.td - cutting programs into token shards --------------------------------------------------------------===//
#ifndef ADJC_SHARD_PASSES_TD
#define ADJC_SHARD_PASSES_TD

include "mlir/Pass/PassBase.td"

def ShardTokens : Pass<"adj-shard-tokens", "::mlir::ModuleOp"> {
  let summary = "Makes the gradient program work on one token shard, and adds the forward program";
  let description = [{
    Every operation that carries something across a token boundary (CarryOpInterface) starts from what the neighbouring shard handed over and hands
    its own over: states to the right, their cotangents to the left. Then `adj.program @forward` is added: the part of the gradient program that
    makes the carries, for the first sweep: the states that shards begin with, from the left to the right, before gradients are taken from the right to
    the left (docs/architecture.md, "One program, any context").
  }];
  let dependentDialects = ["::mlir::adj::AdjDialect"];
  let statistics = [Statistic<"numCarries", "carries", "carries across a token boundary, per layer">];
}

#endif
