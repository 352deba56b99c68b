//===- PointwiseRegion.cpp - what an elementwise operation computes at one point --------------------------------===//
#include "PointwiseRegion.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace adjc;

arith::ConstantOp adjc::getFilledValue(Value tensor) {
  auto fill = tensor.getDefiningOp<linalg::FillOp>();
  return fill ? fill.getInputs()[0].getDefiningOp<arith::ConstantOp>() : arith::ConstantOp();
}

LogicalResult adjc::verifyPointwise(linalg::GenericOp generic) {
  if (generic.getNumResults() == 0)
    return generic.emitOpError() << "must compute tensors";
  if (generic.getNumParallelLoops() != generic.getNumLoops())
    return generic.emitOpError() << "has a reduction; an elementwise kernel has none";
  for (OpOperand &init : generic.getDpsInitsMutable())
    if (!generic.getMatchingIndexingMap(&init).isIdentity())
      return generic.emitOpError() << "must write its results in order (identity maps)";
  for (Operation &scalar : generic.getBody()->without_terminator()) {
    if (isa<arith::ConstantOp>(scalar))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&scalar))
      return scalar.emitOpError() << "is not a scalar operation that an elementwise kernel can compute";
    if (!isa<arith::TruncFOp>(scalar) && scalar.getResult(0).getType().isBF16())
      return scalar.emitOpError() << "computes in bf16; extend its operands to f32, and round its result";
  }
  return success();
}

/// Whether `op` rounds a value that is then stored: the store does that.
static bool isRoundedByStore(Operation &op) {
  return isa<arith::TruncFOp>(op) && llvm::all_of(op.getUsers(), llvm::IsaPred<linalg::YieldOp>);
}

static SmallVector<Value> evaluateOn(KernelBuilder &b, linalg::GenericOp generic, const Lanes &lanes,
                                     ArrayRef<Value> arguments) {
  IRMapping mapping;
  auto getConstant = [&](arith::ConstantOp op) {
    return lanes.splat(b.extended(arith::ConstantOp::create(b, cast<TypedAttr>(op.getValue()))));
  };
  for (auto [argument, operand, value] :
       llvm::zip(generic.getBody()->getArguments(), generic->getOperands(), arguments)) {
    if (auto constant = getFilledValue(operand))
      mapping.map(argument, getConstant(constant));
    else if (value)
      mapping.map(argument, value);
  }
  // A constant may also stand in the kernel, outside of the region.
  auto mapOutside = [&](Value operand) {
    if (!mapping.contains(operand))
      if (auto constant = operand.getDefiningOp<arith::ConstantOp>())
        mapping.map(operand, getConstant(constant));
  };
  for (Operation &op : generic.getBody()->without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      mapping.map(constant.getResult(), getConstant(constant));
      continue;
    }
    llvm::for_each(op.getOperands(), mapOutside);
    if (isa<arith::ExtFOp>(op) || isRoundedByStore(op)) {
      mapping.map(op.getResult(0), mapping.lookup(op.getOperand(0)));
      continue;
    }
    if (isa<arith::TruncFOp>(op)) {
      Value rounded = b.rounded(mapping.lookup(op.getOperand(0)), b.getBF16Type());
      mapping.map(op.getResult(0), b.extended(rounded));
      continue;
    }
    Operation *copy = b.clone(op, mapping);
    for (OpResult result : copy->getResults())
      result.setType(lanes.type(result.getType()));
  }
  SmallVector<Value> results;
  for (Value value : generic.getBody()->getTerminator()->getOperands()) {
    mapOutside(value);
    results.push_back(mapping.lookup(value));
  }
  return results;
}

SmallVector<Value> adjc::evaluateRegion(KernelBuilder &b, linalg::GenericOp generic, const Lanes &lanes,
                                        ArrayRef<Value> arguments) {
  if (!b.getThreads() || lanes.getWidth() == 1)
    return evaluateOn(b, generic, lanes, arguments);
  Lanes one(b, 1);
  SmallVector<SmallVector<Value>> parts(generic.getNumResults());
  for (int64_t lane = 0; lane < lanes.getWidth(); ++lane) {
    auto scalars = llvm::map_to_vector(arguments, [&](Value value) -> Value {
      return value ? vector::ExtractOp::create(b, value, ArrayRef<int64_t>{lane}).getResult() : Value();
    });
    for (auto [part, value] : llvm::zip(parts, evaluateOn(b, generic, one, scalars)))
      part.push_back(value);
  }
  SmallVector<Value> results;
  for (ArrayRef<Value> part : parts)
    results.push_back(vector::FromElementsOp::create(b, cast<VectorType>(lanes.type(part[0].getType())), part));
  return results;
}
