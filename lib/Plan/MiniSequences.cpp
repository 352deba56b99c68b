//===- MiniSequences.cpp - loops over mini-sequences: the loss becomes one, all get their length ----------------===//
#include "adj/AdjOps.h"
#include "adjc/Form/Elementwise.h"
#include "adjc/Plan/Budget.h"
#include "adjc/Plan/Sizes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adjc {

namespace {

class LossCutter {
public:
  explicit LossCutter(adj::LmLossAdjointOp loss) : loss(loss), b(loss), loc(loss.getLoc()) {}

  LogicalResult run() {
    SmallVector<adj::AccumulateOp> weightUses, biasUses;
    if (failed(collect(loss.getDweight(), weightUses)) ||
        (loss.getDbias() && failed(collect(loss.getDbias(), biasUses))))
      return failure();

    auto mini = adj::MiniSequencesOp::create(b, loc, TypeRange(loss.getDx().getType()),
                                             ValueRange{loss.getX(), loss.getTargets()});
    Block &body = mini.getBody().front();
    int64_t vocabulary = cast<RankedTensorType>(loss.getWeight().getType()).getDimSize(0);
    Value x = body.getArgument(0), targets = body.getArgument(1);

    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body);
    RankedTensorType logitsType = rowsOf({vocabulary}, b.getF32Type());
    Value logits = adj::MatmulOp::create(b, loc, logitsType, x, loss.getWeight(), UnitAttr(), b.getUnitAttr());
    if (loss.getBias())
      logits = addElementwise(b, loc, logits, loss.getBias(), logitsType, /*vector=*/true);
    // The logits are f32; their cotangents, operands of products with x, are stored as x is.
    Type cotangentType = logitsType.clone(cast<RankedTensorType>(x.getType()).getElementType());
    auto entropy = adj::CrossEntropyOp::create(b, loc, rowsOf({}, b.getF32Type()), cotangentType, logits, targets,
                                               loss.getScale());
    Value cotangent = entropy.getCotangent();
    for (adj::AccumulateOp use : weightUses) {
      Value product =
          adj::MatmulOp::create(b, loc, use.getValue().getType(), cotangent, x, b.getUnitAttr(), UnitAttr());
      adj::AccumulateOp::create(b, loc, use.getParameterAttr(), product);
    }
    for (adj::AccumulateOp use : biasUses) {
      RankedTensorType partials = adj::getRowPartialsType(RankedTensorType::get({vocabulary}, b.getF32Type()));
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
  OpBuilder b;
  Location loc;
};

} // namespace

LogicalResult cutLosses(ModuleOp module) {
  SmallVector<adj::LmLossAdjointOp> losses;
  module.walk([&](adj::LmLossAdjointOp op) { losses.push_back(op); });
  for (adj::LmLossAdjointOp loss : losses)
    if (failed(LossCutter(loss).run()))
      return failure();
  return success();
}

void setMiniSequences(ModuleOp module, int64_t rows) {
  module.walk([&](adj::MiniSequencesOp loop) { loop.setRows(rows); });
}

uint64_t widestMiniRow(ModuleOp module) {
  uint64_t widest = sizeof(float);
  module.walk([&](adj::MiniSequencesOp loop) {
    loop.getBody().walk([&](Operation *op) {
      for (Type type : op->getResultTypes())
        if (auto rows = dyn_cast<RankedTensorType>(type); rows && rows.getRank() == 2 && rows.isDynamicDim(0))
          widest = std::max(widest, static_cast<uint64_t>(rows.getDimSize(1)) * elementBytes(rows.getElementType()));
    });
  });
  return widest;
}

} // namespace adjc
