#include "KernelOutliner.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace adjc {

KernelOutliner::KernelOutliner(ModuleOp module) : module(module), symbols(module) {
  for (auto kernel : module.getOps<adj::KernelOp>())
    kernels.push_back(kernel);
}

void KernelOutliner::bringEmpty(Value value, Body &body, OpBuilder &builder) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    if (!type.isDynamicDim(d))
      continue;
    // Kernels take their sizes from the shard; the one named here is only a witness of the right kind.
    Value witness;
    for (Value argument : body.block->getArguments())
      if (auto other = dyn_cast<RankedTensorType>(argument.getType());
          !witness && other && other.getRank() > d && other.isDynamicDim(d))
        witness = argument;
    Value index = arith::ConstantIndexOp::create(builder, value.getLoc(), d);
    sizes.push_back(witness ? tensor::DimOp::create(builder, value.getLoc(), witness, index).getResult() : index);
  }
  body.mapping.map(value, tensor::EmptyOp::create(builder, value.getLoc(), type, sizes).getResult());
}

void KernelOutliner::bring(Value value, Body &body, OpBuilder &builder) {
  if (body.mapping.contains(value))
    return;
  Operation *producer = value.getDefiningOp();
  if (isa_and_nonnull<tensor::EmptyOp>(producer)) {
    bringEmpty(value, body, builder);
  } else if (isa_and_nonnull<arith::ConstantOp, linalg::FillOp>(producer)) {
    cloneInto(producer, body, builder);
  } else {
    body.inputs.insert(value);
    body.mapping.map(value, body.block->addArgument(value.getType(), value.getLoc()));
  }
}

Operation *KernelOutliner::cloneInto(Operation *op, Body &body, OpBuilder &builder) {
  // What is only written has no value to bring: its place is the kernel's output.
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  auto onlyWritten = [&](OpOperand &operand) {
    return linalgOp && linalgOp.isDpsInit(&operand) && !linalgOp.payloadUsesValueFromOperand(&operand);
  };
  for (OpOperand &operand : op->getOpOperands())
    if (!onlyWritten(operand))
      bring(operand.get(), body, builder);
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    Body output{body.block, {}, {}};
    if (onlyWritten(operand))
      bringEmpty(operand.get(), output, builder);
    operands.push_back((onlyWritten(operand) ? output : body).mapping.lookup(operand.get()));
  }
  Operation *clone = op->cloneWithoutRegions();
  clone->setOperands(operands);
  for (auto [from, to] : llvm::zip(op->getRegions(), clone->getRegions())) {
    IRMapping regionMapping = body.mapping;
    from.cloneInto(&to, regionMapping);
    // Clean-up passes move constants out of regions; in a kernel they stay inside.
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(from, captured);
    OpBuilder start = OpBuilder::atBlockBegin(&to.front());
    for (Value value : captured)
      if (auto constant = value.getDefiningOp<arith::ConstantOp>())
        replaceAllUsesInRegionWith(value, start.clone(*constant)->getResult(0), to);
  }
  // Names of carries tell layers apart; the kernel is the same.
  clone->removeAttr("carry_name");
  builder.insert(clone);
  for (auto [from, to] : llvm::zip(op->getResults(), clone->getResults()))
    body.mapping.map(from, to);
  return clone;
}

adj::KernelOp KernelOutliner::intern(adj::KernelOp kernel, StringRef base) {
  for (adj::KernelOp known : kernels)
    if (known.getAccumulate() == kernel.getAccumulate() &&
        OperationEquivalence::isRegionEquivalentTo(&known.getBodyRegion(), &kernel.getBodyRegion(),
                                                   OperationEquivalence::IgnoreLocations)) {
      kernel->erase();
      return known;
    }
  kernel.setSymName((base + "_" + Twine(counts[base]++)).str());
  Operation *after = kernels.empty() ? nullptr : kernels.back().getOperation();
  symbols.insert(kernel, after ? std::next(after->getIterator()) : module.getBody()->begin());
  kernels.push_back(kernel);
  return kernel;
}

namespace {

adj::KernelOp makeKernel(Location loc, bool accumulate, MLIRContext *context) {
  OpBuilder detached(context);
  auto kernel = adj::KernelOp::create(detached, loc, detached.getStringAttr("kernel"), DenseI64ArrayAttr(),
                                      accumulate ? detached.getUnitAttr() : UnitAttr());
  kernel->getRegion(0).emplaceBlock();
  return kernel;
}

} // namespace

LogicalResult KernelOutliner::outline(ArrayRef<Operation *> ops) {
  SmallVector<Value> used;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (isa<adj::CrossEntropyOp>(op) ||
          llvm::any_of(result.getUsers(), [&](Operation *user) { return !llvm::is_contained(ops, user); }))
        used.push_back(result);
  if (used.empty()) {
    for (Operation *op : llvm::reverse(ops))
      op->erase();
    return success();
  }
  // The kernel is named for what is not elementwise in it.
  auto named = llvm::find_if(ops, [](Operation *op) { return !isa<linalg::GenericOp>(op); });
  Operation *main = named == ops.end() ? ops.front() : *named;
  Location loc = main->getLoc();
  adj::KernelOp kernel = makeKernel(loc, false, main->getContext());
  Body body{&kernel->getRegion(0).front(), {}, {}};
  OpBuilder inside = OpBuilder::atBlockEnd(body.block);
  for (Operation *op : ops)
    cloneInto(op, body, inside);
  SmallVector<Value> yielded;
  for (Value result : used)
    yielded.push_back(body.mapping.lookup(result));
  adj::YieldOp::create(inside, loc, yielded);
  kernel = intern(kernel, main->getName().stripDialect());

  OpBuilder b(ops.back());
  auto dispatch =
      adj::DispatchOp::create(b, loc, ValueRange(used).getTypes(), FlatSymbolRefAttr::get(kernel.getSymNameAttr()),
                              body.inputs.getArrayRef(), ValueRange{}, StringAttr());
  for (auto [result, replacement] : llvm::zip(used, dispatch.getResults()))
    result.replaceAllUsesWith(replacement);
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  return success();
}

LogicalResult KernelOutliner::outlineAccumulate(Operation *op, Value value, StringAttr parameter, OpBuilder &builder) {
  Location loc = value.getLoc();
  adj::KernelOp kernel = makeKernel(loc, true, parameter.getContext());
  Body body{&kernel->getRegion(0).front(), {}, {}};
  OpBuilder inside = OpBuilder::atBlockEnd(body.block);
  if (op)
    cloneInto(op, body, inside);
  else
    bring(value, body, inside);
  adj::YieldOp::create(inside, loc, body.mapping.lookup(value));
  kernel = intern(kernel, op ? op->getName().stripDialect() : StringRef("accumulate"));
  adj::DispatchOp::create(builder, loc, TypeRange{}, FlatSymbolRefAttr::get(kernel.getSymNameAttr()),
                          body.inputs.getArrayRef(), ValueRange{}, parameter);
  return success();
}

} // namespace adjc
