//===- KernelGroups.cpp - which operations share a kernel -------------------------------------------------------===//
#include "KernelGroups.h"
#include "PointwisePlacement.h"
#include "adjc/Kernels/Emitters.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

/// The elementwise operation that makes `value`, where it may join `main`, which reads it; null otherwise.
static linalg::GenericOp findBefore(Value value, Operation *main, const llvm::DenseSet<Operation *> &taken) {
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  if (!generic || taken.contains(generic) || generic->getBlock() != main->getBlock() || !isRowPointwise(generic))
    return {};
  // It is read more than once, and computed once: it has to be stored.
  bool stored =
      llvm::any_of(value.getUsers(), [&](Operation *user) { return user != main && !isa<tensor::DimOp>(user); });
  // Through another operand, it would be read before it is there.
  bool once =
      llvm::count_if(main->getOperands(), [&](Value operand) { return operand.getDefiningOp() == generic; }) == 1;
  return stored && once && bringTogether(generic, main) ? generic : linalg::GenericOp();
}

/// An elementwise operation that takes `value`, a result of `main`, and may join it; null otherwise.
static linalg::GenericOp findAfter(Value value, Operation *main, const llvm::DenseSet<Operation *> &taken) {
  for (Operation *user : value.getUsers()) {
    auto generic = dyn_cast<linalg::GenericOp>(user);
    if (!generic || generic->use_empty() || taken.contains(generic) || generic->getBlock() != main->getBlock() ||
        !isRowPointwise(generic))
      continue;
    // Row by row, and of all that `main` makes only this.
    bool rows = llvm::all_of(generic->getOpOperands(), [&](OpOperand &operand) {
      return operand.get().getDefiningOp() != main ||
             (operand.get() == value && generic.getMatchingIndexingMap(&operand).isIdentity());
    });
    if (rows && bringTogether(main, generic))
      return generic;
  }
  return {};
}

/// Whether something that stands among `group` uses its results and is not of it.
static bool isUsedWithin(ArrayRef<Operation *> group) {
  for (Operation *op = group.front(); op != group.back(); op = op->getNextNode())
    if (!llvm::is_contained(group, op) && !isa<tensor::DimOp>(op) &&
        llvm::any_of(op->getOperands(), [&](Value operand) {
          return operand.getDefiningOp() && llvm::is_contained(group, operand.getDefiningOp());
        }))
      return true;
  return false;
}

/// What sizes are read off values that the group makes is read off what it takes: rows are the same.
static void readSizesOffOperands(ArrayRef<Operation *> group) {
  auto isMade = [&](Value value) { return value.getDefiningOp() && llvm::is_contained(group, value.getDefiningOp()); };
  Value source;
  for (Operation *op : group)
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.getType()))
        if (!source && hasTokenRows(type) && !isMade(operand) && !operand.getDefiningOp<tensor::EmptyOp>())
          source = operand;
  for (Operation *op : group)
    for (Value result : op->getResults())
      for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
        if (auto size = dyn_cast<tensor::DimOp>(user))
          size.getSourceMutable().assign(source);
}

KernelGroup groupAround(Operation *main, const llvm::DenseSet<Operation *> &taken) {
  KernelGroup group{main};
  const KernelEmitter *emitter = findEmitter(main);
  if (!emitter)
    return group;
  if (emitter->fusedOperand >= 0)
    if (auto before = findBefore(main->getOperand(static_cast<unsigned>(emitter->fusedOperand)), main, taken))
      group.insert(group.begin(), before);
  if (emitter->fusedResult >= 0)
    if (auto after = findAfter(main->getResult(static_cast<unsigned>(emitter->fusedResult)), main, taken)) {
      group.push_back(after);
      if (isUsedWithin(group))
        group.pop_back();
    }
  if (group.size() > 1)
    readSizesOffOperands(group);
  return group;
}

} // namespace adjc
