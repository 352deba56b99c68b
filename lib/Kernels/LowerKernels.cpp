//===- LowerKernels.cpp - adj-lower-kernels: kernels become functions -------------------------------------------===//
#include "KernelFunction.h"
#include "PointwiseRegion.h"
#include "adjc/Kernels/Emitters.h"
#include "adjc/Kernels/Passes.h"
#include "adjc/Kernels/ShardShape.h"
#include "adjc/Kernels/SharedMemory.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace adjc {
#define GEN_PASS_DEF_ADJLOWERKERNELS
#include "adjc/Kernels/Passes.h.inc"
} // namespace adjc

using namespace mlir;
using namespace adjc;

/// The interface that every emitter relies on: operands are arguments of the kernel, results are what it yields.
static LogicalResult verifyForm(adj::KernelOp kernel, Operation *op, const KernelEmitter &emitter) {
  Block &body = kernel.getBody().front();
  ValueRange yielded = body.getTerminator()->getOperands();
  for (BlockArgument argument : body.getArguments())
    if (!isa<RankedTensorType>(argument.getType()))
      return kernel.emitOpError() << "@" << kernel.getSymName() << " takes a " << argument.getType()
                                  << "; inputs are tensors";
  for (Value value : op->getOperands()) {
    Operation *definition = value.getDefiningOp();
    if (isa<RankedTensorType>(value.getType()) && definition &&
        !isa<tensor::EmptyOp, linalg::FillOp, linalg::GenericOp>(definition))
      return op->emitOpError() << "takes a tensor that is not an argument of kernel @" << kernel.getSymName();
  }
  for (auto generic : body.getOps<linalg::GenericOp>())
    if (failed(verifyPointwise(generic)))
      return failure();
  for (auto [number, value] : llvm::enumerate(yielded)) {
    if (!isa<RankedTensorType>(value.getType()))
      return kernel.emitOpError() << "@" << kernel.getSymName() << " yields a " << value.getType()
                                  << "; outputs are tensors";
    if (body.getTerminator() != op && value.getDefiningOp() != op &&
        !isa_and_nonnull<linalg::GenericOp>(value.getDefiningOp()))
      return kernel.emitOpError() << "@" << kernel.getSymName() << " yields (output #" << number
                                  << ") something other than a result of '" << op->getName() << "'";
    if (llvm::is_contained(yielded.take_front(number), value))
      return kernel.emitOpError() << "@" << kernel.getSymName() << " yields one value twice (output #" << number << ")";
  }
  if (kernel.getAccumulate() && !emitter.accumulates)
    return kernel.emitOpError() << "@" << kernel.getSymName() << " accumulates, which '" << op->getName()
                                << "' does not do; sum into a kernel of its own";
  if (kernel.getAccumulate() && yielded.size() != 1)
    return kernel.emitOpError() << "@" << kernel.getSymName() << " accumulates and must have one output, not "
                                << yielded.size();
  if (auto strides = kernel.getRowStrides(); strides && strides->size() != body.getNumArguments() + yielded.size())
    return kernel.emitOpError() << "@" << kernel.getSymName() << " has " << strides->size() << " row strides for "
                                << body.getNumArguments() << " inputs and " << yielded.size() << " outputs";
  if (auto known = kernel->getAttrOfType<DenseI64ArrayAttr>(alignmentsAttribute);
      known && static_cast<size_t>(known.size()) != body.getNumArguments() + yielded.size())
    return kernel.emitOpError() << "@" << kernel.getSymName() << " has " << known.size() << " alignments for "
                                << body.getNumArguments() << " inputs and " << yielded.size() << " outputs";
  if (Attribute shard = kernel->getAttr(shardAttribute); shard && !getShardShape(kernel))
    return kernel.emitOpError()
           << "@" << kernel.getSymName()
           << " needs a shard of a positive batch and number of tokens (array<i64: batch, tokens>), found " << shard;
  return success();
}

static LogicalResult lowerKernel(adj::KernelOp kernel, KernelTarget target) {
  FailureOr<Operation *> op = getComputation(kernel);
  if (failed(op))
    return failure();
  // The grid also says, with a diagnostic, when there is no emitter.
  FailureOr<KernelGrid> grid = getKernelGrid(kernel, target);
  if (failed(grid))
    return failure();
  const KernelEmitter &emitter = *findEmitter(*op);
  if (failed(verifyForm(kernel, *op, emitter)))
    return failure();

  KernelLaunches launches = getKernelLaunches(kernel, *op, *grid, target);
  OpBuilder builder(kernel);
  for (auto [number, launch] : llvm::enumerate(launches.list)) {
    func::FuncOp function = makeKernelFunction(builder, kernel, (kernel.getSymName() + launch.suffix).str(), target,
                                               launches.workspace > 0);
    KernelContext context(kernel, function, target, launch.grid, number, launches);
    if (failed(emitter.emit(context, *op)))
      return failure();
    if (target == KernelTarget::Gpu) {
      if (context.b.getSharedBytes() > mostSharedBytes)
        return (*op)->emitOpError() << "needs " << context.b.getSharedBytes()
                                    << " bytes of shared memory, and a GPU block has at most " << mostSharedBytes
                                    << "; make its dimensions smaller";
      if (launch.grid.minimumBlocks)
        function->setAttr(minimumBlocksAttribute, builder.getI64IntegerAttr(launch.grid.minimumBlocks));
      function->setAttr(threadsAttribute, builder.getI64IntegerAttr(launch.grid.threads));
      function->setAttr(sharedBytesAttribute, builder.getI64IntegerAttr(context.b.getSharedBytes()));
    }
    context.b.setInsertionPointToEnd(&function.getBody().front());
    func::ReturnOp::create(context.b);
  }
  kernel.erase();
  return success();
}

namespace {
struct LowerKernels : adjc::impl::AdjLowerKernelsBase<LowerKernels> {
  using AdjLowerKernelsBase::AdjLowerKernelsBase;
  void runOnOperation() override {
    if (target != "cpu" && target != "gpu") {
      getOperation().emitError() << "kernels are lowered for target cpu or gpu, not '" << target << "'";
      return signalPassFailure();
    }
    bool gpu = target == "gpu";
    if (gpu) {
      auto b = ImplicitLocOpBuilder::atBlockBegin(getOperation().getLoc(), getOperation().getBody());
      memref::GlobalOp::create(b, sharedMemoryName, b.getStringAttr("private"), getSharedMemoryType(&getContext()),
                               Attribute(), /*constant=*/false, b.getI64IntegerAttr(16));
    }
    SmallVector<adj::KernelOp> kernels(getOperation().getOps<adj::KernelOp>());
    for (adj::KernelOp kernel : kernels)
      if (failed(lowerKernel(kernel, gpu ? KernelTarget::Gpu : KernelTarget::Cpu)))
        return signalPassFailure();
  }
};
} // namespace
