//===- AdjOffload.cpp - values in host memory, and the transfers there and back ---------------------------------===//
#include "adj/AdjOffload.h"

#include "mlir/IR/Builders.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::adj;

#define GET_OP_CLASSES
#include "adj/AdjOffload.cpp.inc"

LogicalResult OffloadOp::verify() {
  if (!isa<ssm::RepeatOp>((*this)->getParentOp()))
    return emitOpError() << "must stand in the body of an ssm.repeat: what it sends is kept for the adjoint of a layer";
  return success();
}

OffloadOp PrefetchOp::getOffload() {
  auto argument = dyn_cast<BlockArgument>(getSlice());
  auto reverse = dyn_cast<ssm::RepeatOp>((*this)->getParentOp());
  if (!argument || !reverse || argument.getOwner() != &reverse.getBody().front() ||
      argument.getArgNumber() < reverse.getInits().size())
    return {};
  Value stacked = reverse.getSlices()[argument.getArgNumber() - reverse.getInits().size()];
  auto forward = stacked.getDefiningOp<ssm::RepeatOp>();
  if (!forward || forward.getCount() != reverse.getCount() || !reverse.getReverse() || forward.getReverse())
    return {};
  Value yielded = forward.getBody().front().getTerminator()->getOperand(cast<OpResult>(stacked).getResultNumber());
  auto offload = yielded.getDefiningOp<OffloadOp>();
  return offload && yielded == offload.getHost() ? offload : OffloadOp();
}

LogicalResult PrefetchOp::verify() {
  if (!getOffload())
    return emitOpError()
           << "must fetch, in a reverse ssm.repeat, a slice of what an adj.offload in a forward one of as "
              "many layers sent to the host";
  return success();
}

LogicalResult HostBufferOp::verify() {
  for (auto [what, value] : {std::pair("offset", getOffset()), std::pair("size", getSize()),
                             std::pair("layer_stride", getLayerStride()), std::pair("layers", getLayers())})
    if (static_cast<int64_t>(value) < 0)
      return emitOpError() << what << " must not be negative, found " << static_cast<int64_t>(value);
  return success();
}

LogicalResult TransferOp::verify() {
  Value device = getToHost() ? getSource() : getDestination(), host = getToHost() ? getDestination() : getSource();
  if (!device.getDefiningOp<BufferOp>() || !host.getDefiningOp<HostBufferOp>())
    return emitOpError() << "goes from an adj."
                         << (getToHost() ? "buffer to an adj.host_buffer" : "host_buffer to an adj.buffer");
  return success();
}

LogicalResult AwaitOp::verify() {
  if (static_cast<int64_t>(getBehind()) < 0)
    return emitOpError() << "leaves " << static_cast<int64_t>(getBehind()) << " transfers running; give 0 or more";
  return success();
}
