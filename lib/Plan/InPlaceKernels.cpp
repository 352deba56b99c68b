#include "InPlaceKernels.h"

#include "adjc/Plan/MemoryPlan.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

namespace {

/// The kernel's elementwise operation and the number of its result that output `output` is; null when it is of another
/// kind.
linalg::GenericOp elementwiseOp(adj::KernelOp kernel, unsigned output, unsigned &resultNumber) {
  Operation *yield = kernel.getBody().front().getTerminator();
  auto result = dyn_cast<OpResult>(yield->getOperand(output));
  auto generic = result ? dyn_cast<linalg::GenericOp>(result.getOwner()) : nullptr;
  if (!generic || generic.getNumParallelLoops() != generic.getNumLoops())
    return nullptr;
  resultNumber = result.getResultNumber();
  return generic;
}

} // namespace

bool canRunInPlace(adj::KernelOp kernel, unsigned input, unsigned output) {
  unsigned resultNumber = 0;
  linalg::GenericOp generic = elementwiseOp(kernel, output, resultNumber);
  if (!generic || kernel.getAccumulate())
    return false;
  OpOperand *init = generic.getDpsInitOperand(resultNumber);
  if (!generic.getMatchingIndexingMap(init).isIdentity() || !init->get().getDefiningOp<tensor::EmptyOp>())
    return false;
  Value argument = kernel.getBody().getArgument(input);
  if (argument.getType() != init->get().getType())
    return false;
  // Another operation of the kernel may read it later, or other rows of it.
  if (!llvm::all_of(argument.getUsers(), [&](Operation *user) { return user == generic || isa<tensor::DimOp>(user); }))
    return false;
  bool read = false;
  for (OpOperand *operand : generic.getDpsInputOperands())
    if (operand->get() == argument) {
      if (read || !generic.getMatchingIndexingMap(operand).isIdentity())
        return false;
      read = true;
    }
  // Another result already in its place?
  return read && llvm::none_of(generic.getDpsInits(), [&](Value other) { return other == argument; });
}

void runInPlace(adj::KernelOp kernel, unsigned input, unsigned output) {
  unsigned resultNumber = 0;
  linalg::GenericOp generic = elementwiseOp(kernel, output, resultNumber);
  Value argument = kernel.getBody().getArgument(input);
  unsigned removed = 0;
  for (OpOperand *operand : generic.getDpsInputOperands())
    if (operand->get() == argument)
      removed = operand->getOperandNumber();

  SmallVector<Value> inputs(generic.getInputs()), inits(generic.getDpsInits());
  SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
  inputs.erase(inputs.begin() + removed);
  maps.erase(maps.begin() + removed);
  inits[resultNumber] = argument;

  OpBuilder b(generic);
  auto tied = linalg::GenericOp::create(b, generic.getLoc(), generic.getResultTypes(), inputs, inits, maps,
                                        generic.getIteratorTypesArray());
  tied.getRegion().takeBody(generic.getRegion());
  Block &body = tied.getRegion().front();
  body.getArgument(removed).replaceAllUsesWith(body.getArgument(inputs.size() + 1 + resultNumber));
  body.eraseArgument(removed);
  generic.replaceAllUsesWith(tied.getResults());
  generic.erase();
}

} // namespace adjc
