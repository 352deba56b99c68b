//===- Registry.cpp - which emitter knows a kernel --------------------------------------------------------------===//
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace adjc;

static const KernelEmitter *const emitters[] = {
    &embeddingEmitter,    &embeddingAdjointEmitter,                                    //
    &rmsNormEmitter,      &rmsNormAdjointEmitter,                                      //
    &conv1dEmitter,       &conv1dAdjointEmitter,                                       //
    &elementwiseEmitter,  &residualEmitter,         &copyEmitter,        &fillEmitter, //
    &roundEmitter,        &extendEmitter,                                              //
    &scanEmitter,         &scanAdjointEmitter,                                         //
    &crossEntropyEmitter, &columnSumEmitter,        &sumPartialsEmitter,
};

KernelGrid adjc::makeGrid(KernelTarget target, GridUnit unit, int64_t block, int64_t factor) {
  return {unit, block, factor, target == KernelTarget::Gpu ? gpuThreads : 1};
}

const KernelEmitter *adjc::findEmitter(Operation *op) {
  for (const KernelEmitter *emitter : emitters)
    if (op->getName().getStringRef() == emitter->operation)
      return emitter;
  return nullptr;
}

/// Whether the emitter of `main` computes `generic` along.
static bool isFused(linalg::GenericOp generic, Operation *main) {
  const KernelEmitter *emitter = findEmitter(main);
  if (!emitter || !isRowPointwise(generic))
    return false;
  bool before =
      emitter->fusedOperand >= 0 &&
      llvm::is_contained(generic.getResults(), main->getOperand(static_cast<unsigned>(emitter->fusedOperand)));
  bool after = emitter->fusedResult >= 0 &&
               llvm::is_contained(generic.getInputs(), main->getResult(static_cast<unsigned>(emitter->fusedResult)));
  return before || after;
}

FailureOr<Operation *> adjc::getComputation(adj::KernelOp kernel) {
  Operation *found = nullptr, *fill = nullptr;
  SmallVector<linalg::GenericOp> pointwise;
  auto second = [&](Operation *op) {
    return op->emitOpError() << "is the second operation that kernel @" << kernel.getSymName()
                             << " computes; form one kernel per operation";
  };
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (isa<tensor::EmptyOp, tensor::DimOp, arith::ConstantOp>(op))
      continue;
    // A filled tensor is a constant that the computation reads; alone, it is the computation.
    if (isa<linalg::FillOp>(op)) {
      fill = &op;
    } else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      pointwise.push_back(generic);
    } else if (found) {
      return second(&op);
    } else {
      found = &op;
    }
  }
  for (linalg::GenericOp generic : pointwise)
    if (!found)
      found = generic;
    else if (generic != found && !isFused(generic, found))
      return second(generic);
  if (found)
    return found;
  Operation *terminator = kernel.getBody().front().getTerminator();
  return fill && terminator->getNumOperands() == 1 && terminator->getOperand(0).getDefiningOp() == fill ? fill
                                                                                                        : terminator;
}

/// The operation that `kernel` computes and its emitter.
static FailureOr<std::pair<Operation *, const KernelEmitter *>> resolve(adj::KernelOp kernel) {
  FailureOr<Operation *> op = getComputation(kernel);
  if (failed(op))
    return failure();
  const KernelEmitter *emitter = findEmitter(*op);
  if (!emitter)
    return (*op)->emitOpError() << "has no kernel emitter (kernel @" << kernel.getSymName() << ")";
  return std::pair(*op, emitter);
}

FailureOr<KernelGrid> adjc::getKernelGrid(adj::KernelOp kernel, KernelTarget target) {
  auto resolved = resolve(kernel);
  if (failed(resolved))
    return failure();
  return resolved->second->grid(resolved->first, target);
}

KernelLaunches adjc::getKernelLaunches(adj::KernelOp kernel, Operation *computation, const KernelGrid &grid,
                                       KernelTarget target) {
  const KernelEmitter *emitter = findEmitter(computation);
  if (emitter->launches)
    return emitter->launches(kernel, computation, target);
  return oneLaunch(grid);
}

FailureOr<KernelLaunches> adjc::getKernelLaunches(adj::KernelOp kernel, KernelTarget target) {
  auto resolved = resolve(kernel);
  if (failed(resolved))
    return failure();
  FailureOr<KernelGrid> grid = resolved->second->grid(resolved->first, target);
  if (failed(grid))
    return failure();
  return getKernelLaunches(kernel, resolved->first, *grid, target);
}

SmallVector<std::optional<unsigned>> adjc::getTiedInputs(adj::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  SmallVector<std::optional<unsigned>> tied(body.getTerminator()->getNumOperands());
  for (auto [number, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      continue;
    const KernelEmitter *emitter = findEmitter(result.getOwner());
    if (!emitter || !emitter->tied)
      continue;
    if (auto argument = dyn_cast_or_null<BlockArgument>(emitter->tied(result.getOwner(), result.getResultNumber())))
      if (argument.getOwner() == &body)
        tied[number] = argument.getArgNumber();
  }
  return tied;
}
