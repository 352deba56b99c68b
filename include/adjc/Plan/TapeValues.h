//===- TapeValues.h - what layers keep for their adjoints, and what it takes to compute it again ------*- C++ -*-===//
#ifndef ADJC_PLAN_TAPEVALUES_H
#define ADJC_PLAN_TAPEVALUES_H

#include "adjc/Plan/Sizes.h"
#include "ssm/SsmOps.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

#include <string>
#include <vector>

namespace adjc {

/// A value that each layer of a stack keeps for the layer's adjoint: a stacked result of the forward `ssm.repeat` that
/// the reverse one takes as a slice. Carries and parameters, which are kept anyway, are none.
struct TapeValue {
  std::string name; ///< unique in the module, and the same each time: "mixer.in_proj output", "scan0 checkpoints"
  mlir::ssm::RepeatOp stack, reverse;
  unsigned result = 0;         ///< its number among the results of `stack`
  mlir::RankedTensorType type; ///< of one layer
  bool recomputable = false;   ///< from the layer's input, parameters, carries and other tape values

  /// The value in the stack's body.
  mlir::Value value() const {
    auto layers = stack;
    return layers.getBody().front().getTerminator()->getOperand(result);
  }
  /// Two layers' values are in device memory in any case: a stack of two gains nothing.
  bool isOffloadable() const { return layers() > 2; }
  int64_t layers() const { return static_cast<int64_t>(mlir::ssm::RepeatOp(stack).getCount()); }
};

/// What a stack's reverse computes again in place of values that it does not keep.
struct Recomputation {
  /// Operations of the forward body, in its order.
  llvm::SetVector<mlir::Operation *> operations;
  /// Values of the forward body that these start from. One that is not kept yet (a layer's input, say) has to be.
  llvm::SetVector<mlir::Value> starts;
};

/// The tape of a module's programs. Valid until the programs change.
class Tape {
public:
  /// Of programs as adj-shard-tokens leaves them, before kernels are formed.
  static Tape of(mlir::ModuleOp module);

  const std::vector<TapeValue> &values() const { return list; }
  /// Null when there is none of that name.
  const TapeValue *find(llvm::StringRef name) const;

  /// What the reverse of `stack` computes again when the values named in `dropped` are not kept. Those that are not
  /// recomputable are kept all the same.
  Recomputation recomputation(mlir::ssm::RepeatOp stack, const llvm::StringSet<> &dropped) const;
  /// Every stack that keeps something, in program order.
  llvm::SmallVector<mlir::ssm::RepeatOp> stacks() const;
  /// Bytes of all layers of a shard that dropping these values saves: what is dropped less what is kept in its place.
  int64_t bytesFreed(const llvm::StringSet<> &dropped, const ShardSizes &sizes) const;

private:
  std::vector<TapeValue> list;
};

/// Whether `op` may run a second time: it changes nothing, and reads nothing that changes until the gradient is done.
bool mayRunAgain(mlir::Operation *op);
/// Whether `op` reads the size of the batch or of the shard off an activation; any other would do.
bool isShardSize(mlir::Operation *op);

/// Programs whose stacks do not keep the values named in `dropped`: their reverse computes them again, each just before
/// its first use, bit for bit what was dropped. `module` is as adj-shard-tokens leaves it. Fails with a diagnostic
/// at `module` when a name is none of the tape's, or what it names can not be computed again.
mlir::LogicalResult recomputeTape(mlir::ModuleOp module, const llvm::StringSet<> &dropped);

/// Programs whose stacks keep the values named in `names` in host memory (adj.offload, adj.prefetch). `module` is as
/// adj-shard-tokens leaves it. Fails with a diagnostic at `module` when a name is none of the tape's, or its stack is
/// too short for that.
mlir::LogicalResult offloadTape(mlir::ModuleOp module, const llvm::StringSet<> &names);

} // namespace adjc

#endif
