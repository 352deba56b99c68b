//===- MiniSequences.cpp - the loss, a few rows at a time
//-------------------------------------------------------------===//
#include "adj/AdjOps.h"
#include "adjc/Form/Elementwise.h"
#include "adjc/Plan/Budget.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

namespace {

/// Rows that one partial sum of a bias's cotangent covers (adj.column_sum).
constexpr int64_t kRowsPerPartial = 64;

class LossCutter {
public:
  LossCutter(adj::LmLossAdjointOp loss, int64_t rows) : loss(loss), rows(rows), b(loss), loc(loss.getLoc()) {}

  LogicalResult run() {
    SmallVector<adj::AccumulateOp> weightUses, biasUses;
    if (failed(collect(loss.getDweight(), weightUses)) ||
        (loss.getDbias() && failed(collect(loss.getDbias(), biasUses))))
      return failure();

    OperationState state(loc, adj::MiniSequencesOp::getOperationName());
    state.addAttribute("rows", b.getI64IntegerAttr(rows));
    state.addOperands({loss.getX(), loss.getTargets()});
    state.addTypes(loss.getDx().getType());
    state.addRegion();
    Operation *mini = b.create(state);
    Block &body = mini->getRegion(0).emplaceBlock();
    auto xType = cast<RankedTensorType>(loss.getX().getType());
    int64_t channels = xType.getShape().back();
    int64_t vocabulary = cast<RankedTensorType>(loss.getWeight().getType()).getDimSize(0);
    Value x = body.addArgument(rowsOf({channels}, xType.getElementType()), loc);
    Value targets = body.addArgument(rowsOf({}, b.getI32Type()), loc);

    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body);
    RankedTensorType logitsType = rowsOf({vocabulary}, b.getF32Type());
    Value logits = adj::MatmulOp::create(b, loc, logitsType, x, loss.getWeight(), UnitAttr(), b.getUnitAttr());
    if (loss.getBias())
      logits = addElementwise(b, loc, logits, loss.getBias(), /*vector=*/true);
    auto entropy =
        adj::CrossEntropyOp::create(b, loc, rowsOf({}, b.getF32Type()), logitsType, logits, targets, loss.getScale());
    Value cotangent = entropy.getCotangent();
    for (adj::AccumulateOp use : weightUses) {
      Value product =
          adj::MatmulOp::create(b, loc, use.getValue().getType(), cotangent, x, b.getUnitAttr(), UnitAttr());
      adj::AccumulateOp::create(b, loc, use.getParameterAttr(), product);
    }
    for (adj::AccumulateOp use : biasUses) {
      auto partials = RankedTensorType::get({ShapedType::kDynamic, vocabulary}, b.getF32Type(),
                                            adj::BlocksAttr::get(b.getContext(), "rows", kRowsPerPartial));
      Value sums = adj::ColumnSumOp::create(b, loc, partials, cotangent);
      adj::AccumulateOp::create(b, loc, use.getParameterAttr(),
                                adj::SumPartialsOp::create(b, loc, use.getValue().getType(), sums));
    }
    Value dx = adj::MatmulOp::create(b, loc, x.getType(), cotangent, loss.getWeight(), UnitAttr(), UnitAttr());
    adj::WriteRowsOp::create(b, loc, b.getI64IntegerAttr(0), dx);

    loss.getDx().replaceAllUsesWith(mini->getResult(0));
    for (adj::AccumulateOp use : weightUses)
      use.erase();
    for (adj::AccumulateOp use : biasUses)
      use.erase();
    loss.erase();
    return success();
  }

private:
  /// A mini-sequence's rows.
  RankedTensorType rowsOf(ArrayRef<int64_t> columns, Type element) {
    SmallVector<int64_t> shape{ShapedType::kDynamic};
    shape.append(columns.begin(), columns.end());
    return RankedTensorType::get(shape, element, adj::BlocksAttr::get(b.getContext(), "mini", 1));
  }

  LogicalResult collect(Value cotangent, SmallVectorImpl<adj::AccumulateOp> &uses) {
    for (Operation *user : cotangent.getUsers()) {
      auto accumulate = dyn_cast<adj::AccumulateOp>(user);
      if (!accumulate)
        return user->emitError("uses a head's cotangent, which is only ever accumulated, never held");
      uses.push_back(accumulate);
    }
    return success();
  }

  adj::LmLossAdjointOp loss;
  int64_t rows;
  OpBuilder b;
  Location loc;
};

} // namespace

LogicalResult cutLosses(ModuleOp module, int64_t rows) {
  SmallVector<adj::LmLossAdjointOp> losses;
  module.walk([&](adj::LmLossAdjointOp op) { losses.push_back(op); });
  for (adj::LmLossAdjointOp loss : losses)
    if (failed(LossCutter(loss, rows).run()))
      return failure();
  return success();
}

} // namespace adjc
