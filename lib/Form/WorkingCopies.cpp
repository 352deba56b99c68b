//===- WorkingCopies.cpp - parameters as products in bf16 read them -----------------------------------------------===//
#include "WorkingCopies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace adjc {

static Type roundedType(Value parameter) {
  return cast<RankedTensorType>(parameter.getType()).clone(BFloat16Type::get(parameter.getContext()));
}

Value WorkingCopies::copyOf(ssm::ParameterOp parameter) {
  Value &copy = made[parameter];
  if (copy)
    return copy;
  OpBuilder b(parameter->getContext());
  b.setInsertionPointAfter(parameter);
  named.try_emplace(parameter.getNameAttr(), parameter);
  return copy = adj::WorkingCopyOp::create(b, parameter.getLoc(), roundedType(parameter), parameter);
}

LogicalResult WorkingCopies::matchOperands(adj::MatmulOp product) {
  auto isRounded = [](Value value) { return getElementTypeOrSelf(value).isBF16(); };
  if (isRounded(product.getA()) == isRounded(product.getB()))
    return success();
  OpOperand &other = isRounded(product.getA()) ? product.getBMutable() : product.getAMutable();
  auto parameter = other.get().getDefiningOp<ssm::ParameterOp>();
  if (!parameter)
    return product.emitError("multiplies a value in bf16 by one in f32 that is no parameter; round that first "
                             "(ssm-lower-precision does)");
  other.set(copyOf(parameter));
  return success();
}

void WorkingCopies::replaceTables(ModuleOp module) {
  SmallVector<ssm::EmbeddingOp> embeddings;
  module.walk([&](ssm::EmbeddingOp op) { embeddings.push_back(op); });
  for (ssm::EmbeddingOp op : embeddings)
    if (auto table = op.getTable().getDefiningOp<ssm::ParameterOp>(); table && named.contains(table.getNameAttr()))
      op.getTableMutable().set(copyOf(table));
}

void WorkingCopies::addPrepare(ModuleOp module) {
  if (named.empty())
    return;
  // Last: the layout of the parameters is that of the programs before.
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto source = *module.getOps<adj::ProgramOp>().begin();
  Location loc = source.getLoc();
  auto program = adj::ProgramOp::create(b, loc, "prepare");
  Block *body = b.createBlock(&program.getBody());
  for (Value argument : source.getBody().getArguments())
    body->addArgument(argument.getType(), argument.getLoc());

  llvm::DenseMap<Operation *, Block *> loops; // by the stack that a parameter stands in
  for (auto &[name, parameter] : named) {
    b.setInsertionPointToEnd(body);
    if (auto stack = parameter->getParentOfType<ssm::RepeatOp>()) {
      Block *&layer = loops[stack];
      if (!layer) {
        auto loop =
            ssm::RepeatOp::create(b, loc, TypeRange(), stack.getCountAttr(), ValueRange(), ValueRange(), UnitAttr());
        OpBuilder::InsertionGuard guard(b);
        layer = b.createBlock(&loop.getBody());
        ssm::YieldOp::create(b, loc, ValueRange());
      }
      b.setInsertionPoint(layer->getTerminator());
    }
    Value master = b.clone(*parameter)->getResult(0);
    Value rounded = arith::TruncFOp::create(b, parameter.getLoc(), roundedType(master), master);
    adj::RefreshOp::create(b, parameter.getLoc(), name, rounded);
  }
}

} // namespace adjc
