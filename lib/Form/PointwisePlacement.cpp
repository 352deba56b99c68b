//===- PointwisePlacement.cpp - where operations that become one may stand --------------------------------------===//
#include "PointwisePlacement.h"
#include "adj/AdjOffload.h"
#include "adj/AdjOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace adjc {

bool isStructure(Operation *op) {
  return isa<ssm::ParameterOp, ssm::RepeatOp, ssm::YieldOp, ssm::SplitOp, ssm::ReshapeOp, ssm::ConcatOp, adj::CarriedOp,
             adj::HandOverOp, adj::MiniSequencesOp, adj::WriteRowsOp, adj::DispatchOp, adj::GemmOp, adj::WorkingCopyOp,
             adj::RefreshOp, adj::OffloadOp, adj::PrefetchOp>(op);
}

bool isMadeInKernels(Operation *op) {
  return isa<arith::ConstantOp, tensor::EmptyOp, tensor::DimOp, linalg::FillOp>(op);
}

/// Whether the planner gives a result of `op` memory of its own.
static bool takesMemory(Operation *op) {
  if (isMadeInKernels(op) ||
      isa<ssm::ParameterOp, ssm::SplitOp, ssm::ReshapeOp, adj::CarriedOp, adj::WorkingCopyOp, adj::OffloadOp>(op))
    return false;
  // A product that is only accumulated is made in the gradient's place.
  if (isa<adj::MatmulOp, adj::SumPartialsOp>(op) && op->hasOneUse() && isa<adj::AccumulateOp>(*op->user_begin()))
    return false;
  return op->getNumResults() > 0 || op->getNumRegions() > 0;
}

/// Adds what must move with `op` to stand right after `place`, in order; false where something cannot.
static bool collectForMove(Operation *op, Operation *place, llvm::SetVector<Operation *> &moved) {
  for (Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    if (!producer || producer->getBlock() != place->getBlock() || producer == place ||
        producer->isBeforeInBlock(place) || moved.contains(producer))
      continue;
    if (!isMadeInKernels(producer) && !isa<ssm::ParameterOp, adj::WorkingCopyOp>(producer))
      return false;
    if (!collectForMove(producer, place, moved))
      return false;
  }
  moved.insert(op);
  return true;
}

static int64_t rowBits(ValueRange values) {
  int64_t bits = 0;
  for (Value value : values) {
    auto type = cast<RankedTensorType>(value.getType());
    int64_t size = type.getElementTypeBitWidth();
    for (int64_t extent : type.getShape())
      size *= ShapedType::isDynamic(extent) ? 1 : extent;
    bits += size;
  }
  return bits;
}

bool bringTogether(Operation *producer, Operation *consumer) {
  bool takes = false, used = false;
  for (Operation *op = producer->getNextNode(); op != consumer; op = op->getNextNode()) {
    takes |= takesMemory(op);
    used |= llvm::any_of(op->getOperands(), [&](Value operand) { return operand.getDefiningOp() == producer; });
  }
  if (!takes && !used)
    return true;
  // At the producer's place: instead of its result, which nothing else needs, the consumer's is held.
  bool only = llvm::all_of(producer->getUsers(), [&](Operation *user) { return user == consumer; });
  if (takes && !(only && rowBits(consumer->getResults()) <= rowBits(producer->getResults())))
    return false;
  llvm::SetVector<Operation *> moved;
  if (!collectForMove(consumer, producer, moved))
    return false;
  Operation *after = producer;
  for (Operation *op : moved) {
    op->moveAfter(after);
    after = op;
  }
  return true;
}

} // namespace adjc
