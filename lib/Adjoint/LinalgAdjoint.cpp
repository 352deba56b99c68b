//===- LinalgAdjoint.cpp - the adjoint of an elementwise linalg.generic -----------------------------------------===//
#include "adj/AdjOps.h"
#include "adj/ScalarRules.h"
#include "adjc/Adjoint/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace {

/// An uninitialised tensor of `element`, else of `like`'s type and size.
Value emptyLike(OpBuilder &b, Location loc, Value like, Type element) {
  auto type = cast<RankedTensorType>(cast<RankedTensorType>(like.getType()).clone(element));
  SmallVector<Value> dynamic;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      dynamic.push_back(tensor::DimOp::create(b, loc, like, d));
  return tensor::EmptyOp::create(b, loc, type, dynamic);
}

/// A vector broadcast over all rows: its map is the last dimension alone.
bool isRowVector(AffineMap map) {
  return map.getNumResults() == 1 && map.getNumDims() > 1 &&
         map.getResult(0) == getAffineDimExpr(map.getNumDims() - 1, map.getContext());
}

struct LinalgGenericAdjoint : adj::AdjointOpInterface::ExternalModel<LinalgGenericAdjoint, linalg::GenericOp> {
  FailureOr<SmallVector<Value>> buildAdjoint(Operation *operation, OpBuilder &b, ArrayRef<Value> cotangents) const {
    auto op = cast<linalg::GenericOp>(operation);
    if (op.getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
        !op.getIndexingMapsArray().back().isIdentity())
      return op.emitOpError("has an adjoint only when elementwise with one result");
    for (OpOperand *input : op.getDpsInputOperands())
      if (AffineMap map = op.getMatchingIndexingMap(input); !map.isIdentity() && !isRowVector(map))
        return op.emitOpError("has an adjoint only where inputs are elementwise or a vector added to every row");

    // One elementwise operation computes the cotangents of all inputs, each in the full space.
    Location loc = op.getLoc();
    Value g = cotangents[0];
    SmallVector<Value> inputs(op.getInputs());
    inputs.push_back(g);
    SmallVector<AffineMap> maps;
    for (OpOperand *input : op.getDpsInputOperands())
      maps.push_back(op.getMatchingIndexingMap(input));
    AffineMap identity = op.getIndexingMapsArray().back();
    maps.push_back(identity);
    SmallVector<unsigned> differentiated;
    SmallVector<Value> outs;
    for (auto [i, input] : llvm::enumerate(op.getInputs()))
      if (adj::isDifferentiable(input.getType())) {
        differentiated.push_back(i);
        outs.push_back(emptyLike(b, loc, g, getElementTypeOrSelf(input)));
        maps.push_back(identity);
      }

    Block &body = op.getRegion().front();
    LogicalResult status = success();
    auto build = [&](OpBuilder &nested, Location, ValueRange args) {
      IRMapping mapping;
      for (unsigned i = 0; i < op.getInputs().size(); ++i)
        mapping.map(body.getArgument(i), args[i]);
      SmallVector<Operation *> ops;
      for (Operation &inner : body.without_terminator())
        ops.push_back(nested.clone(inner, mapping));
      adj::ScalarAdjoint adjoint(nested, nullptr);
      adjoint.seed(mapping.lookupOrDefault(body.getTerminator()->getOperand(0)), args[op.getInputs().size()]);
      status = adjoint.run(ops);
      SmallVector<Value> yields;
      for (unsigned i : differentiated) {
        Value cotangent = adjoint.lookup(args[i]);
        if (!cotangent) {
          Type type = args[i].getType();
          cotangent = arith::ConstantOp::create(nested, loc, nested.getZeroAttr(type));
        }
        yields.push_back(cotangent);
      }
      linalg::YieldOp::create(nested, loc, yields);
    };
    SmallVector<Type> types(ValueRange(outs).getTypes());
    auto adjoint = linalg::GenericOp::create(b, loc, types, inputs, outs, maps, op.getIteratorTypesArray(), build);
    if (failed(status))
      return failure();

    SmallVector<Value> result(op->getNumOperands());
    for (auto [k, i] : llvm::enumerate(differentiated)) {
      Value cotangent = adjoint.getResult(k);
      Value input = op.getInputs()[i];
      if (isRowVector(maps[i])) {
        auto type = cast<RankedTensorType>(input.getType());
        Value partials = adj::ColumnSumOp::create(b, loc, adj::getRowPartialsType(type), cotangent);
        cotangent = adj::SumPartialsOp::create(b, loc, type, partials);
      }
      result[i] = cotangent;
    }
    return result;
  }
};

} // namespace

void adjc::registerLinalgAdjoint(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, linalg::LinalgDialect *) {
    linalg::GenericOp::attachInterface<LinalgGenericAdjoint>(*context);
  });
}
