//===- Passes.h - cutting programs into token shards --------------------------------------------------*- C++ -*-===//
#ifndef ADJC_SHARD_PASSES_H
#define ADJC_SHARD_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace adjc {

#define GEN_PASS_DECL
#include "adjc/Shard/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "adjc/Shard/Passes.h.inc"

} // namespace adjc

#endif
