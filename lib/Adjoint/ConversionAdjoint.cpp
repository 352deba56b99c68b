//===- ConversionAdjoint.cpp - the adjoints of rounding a tensor to bf16 and of extending it --------------------===//
#include "adj/AdjInterfaces.h"
#include "adjc/Adjoint/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace {

/// The transpose of a conversion is the conversion back.
template <typename Conversion, typename Back>
struct ConversionAdjoint : adj::AdjointOpInterface::ExternalModel<ConversionAdjoint<Conversion, Back>, Conversion> {
  FailureOr<SmallVector<Value>> buildAdjoint(Operation *op, OpBuilder &b, ArrayRef<Value> cotangents) const {
    return SmallVector<Value>{Back::create(b, op->getLoc(), op->getOperand(0).getType(), cotangents[0])};
  }
};

} // namespace

void adjc::registerConversionAdjoints(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    arith::TruncFOp::attachInterface<ConversionAdjoint<arith::TruncFOp, arith::ExtFOp>>(*context);
    arith::ExtFOp::attachInterface<ConversionAdjoint<arith::ExtFOp, arith::TruncFOp>>(*context);
  });
}
