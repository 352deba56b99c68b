#include "Placer.h"

using namespace mlir;

namespace adjc {

/// Positions count up in program order. A loop takes one before its body (where copies at the body's start happen) and
/// one after.
LogicalResult Placer::number(Block &block) {
  for (Value argument : block.getArguments())
    values.push_back(argument);
  for (Operation &op : block) {
    int64_t position = static_cast<int64_t>(plan.firstPosition.size()) * 2;
    plan.firstPosition[&op] = position;
    operations.push_back(&op);
    bool loop = isa<ssm::RepeatOp, adj::MiniSequencesOp>(op);
    if (op.getNumRegions() != 0 && !loop)
      return op.emitError("is not in a kernel; run adj-form-kernels first");
    if (loop) {
      if (isa<adj::MiniSequencesOp>(op.getParentOp()))
        return op.emitError("a loop inside a mini-sequence is not built yet");
      if (failed(number(op.getRegion(0).front())))
        return failure();
      position = static_cast<int64_t>(plan.firstPosition.size()) * 2 - 1;
    }
    plan.lastPosition[&op] = position;
    for (Value result : op.getResults())
      if (isa<RankedTensorType>(result.getType()))
        values.push_back(result);
  }
  return success();
}

Root Placer::rootOf(Value value) const {
  Root root{value, 0, false};
  for (auto found = aliases.find(root.value); found != aliases.end(); found = aliases.find(root.value)) {
    root.offset += found->second.offset;
    root.rowOfMini |= found->second.rowOfMini;
    root.value = found->second.of;
  }
  return root;
}

bool Placer::isComputed(Value value) const {
  return isa_and_nonnull<adj::DispatchOp, adj::GemmOp>(value.getDefiningOp());
}

bool Placer::isFree(Value value) const {
  return isComputed(value) && !aliases.contains(value) && !handedOver.contains(value) && !refreshed.contains(value) &&
         !tape.contains(value) && !losses.contains(value);
}

int64_t Placer::usePosition(OpOperand &use, Block *block) const {
  Operation *user = use.getOwner();
  while (user->getBlock() != block && user->getParentOp() != plan.op())
    user = user->getParentOp();
  return plan.lastPosition.lookup(user);
}

SmallVector<Value> Placer::membersOf(Value root) const {
  SmallVector<Value> members;
  for (Value value : values)
    if (rootOf(value).value == root)
      members.push_back(value);
  return members;
}

adj::KernelOp Placer::kernelOf(adj::DispatchOp dispatch) const {
  return symbols.lookup<adj::KernelOp>(dispatch.getKernel());
}

FailureOr<ProgramPlan> Placer::run() {
  if (failed(number(plan.program.getBody().front())) || failed(linkViews()) || failed(linkResults()) ||
      failed(linkLoops()))
    return failure();
  linkInPlace();
  if (failed(makeStorages()) || failed(placeCopies()))
    return failure();
  return std::move(plan);
}

} // namespace adjc
