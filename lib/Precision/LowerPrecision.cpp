//===- LowerPrecision.cpp - ssm-lower-precision: activations in bf16 ----------------------------------------------===//
#include "adj/AdjOps.h"
#include "adjc/Precision/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/TypeSwitch.h"

namespace adjc {
#define GEN_PASS_DEF_LOWERPRECISION
#include "adjc/Precision/Passes.h.inc"
} // namespace adjc

using namespace mlir;

namespace {

/// An activation: f32, with a dimension counted at run time. Parameters, and what depends on parameters alone, have
/// none.
bool isActivation(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32() && !type.hasStaticShape();
}

Type inBF16(Type type) { return cast<RankedTensorType>(type).clone(BFloat16Type::get(type.getContext())); }

/// The activations of one model, in classes that are stored alike: a view and what it views, rows of a loop and what
/// they are rows of, an operation's result and the tensor that it is written to.
class Storage {
public:
  explicit Storage(ssm::ModelOp model) {
    model.walk([&](Operation *op) { visit(op); });
    for (const void *value : kept)
      keptLeaders.insert(classes.getOrInsertLeaderValue(value));
  }

  bool isKept(Value value) { return keptLeaders.contains(classes.getOrInsertLeaderValue(value.getAsOpaquePointer())); }

private:
  void keep(ValueRange values) {
    for (Value value : values)
      kept.push_back(value.getAsOpaquePointer());
  }
  void tie(Value a, Value b) { classes.unionSets(a.getAsOpaquePointer(), b.getAsOpaquePointer()); }
  void tieAll(Value whole, ValueRange parts) {
    for (Value part : parts)
      tie(whole, part);
  }

  void visit(Operation *op) {
    TypeSwitch<Operation *>(op)
        .Case([&](ssm::RepeatOp repeat) {
          keep(repeat.getInits());
          keep(repeat.getBody().getArguments());
          keep(repeat.getBody().front().getTerminator()->getOperands());
          keep(repeat.getResults());
        })
        .Case([&](adj::MiniSequencesOp loop) {
          for (auto [argument, operand] : llvm::zip(loop.getBody().getArguments(), loop.getOperands()))
            tie(argument, operand);
          for (auto write : loop.getBody().getOps<adj::WriteRowsOp>())
            tie(write.getValue(), loop->getResult(write.getResult()));
        })
        .Case([&](ssm::SplitOp split) { tieAll(split.getX(), split.getParts()); })
        .Case([&](ssm::ConcatOp concat) { tieAll(concat.getResult(), concat.getParts()); })
        .Case([&](ssm::ReshapeOp reshape) { tie(reshape.getX(), reshape.getResult()); })
        .Case([&](linalg::GenericOp generic) {
          for (auto [init, result] : llvm::zip(generic.getDpsInits(), generic.getResults()))
            tie(init, result);
        })
        // What rounds its results when it stores them.
        .Case<ssm::LinearOp, ssm::RmsNormOp, ssm::Conv1dOp, ssm::ScanOp, tensor::EmptyOp>([](Operation *) {})
        // The residual stream, and what this pass does not know.
        .Default([&](Operation *other) { keep(other->getResults()); });
  }

  llvm::EquivalenceClasses<const void *> classes;
  SmallVector<const void *> kept;
  llvm::DenseSet<const void *> keptLeaders;
};

/// A region computes in f32: what is stored in bf16 is extended when it is loaded, and rounded when it is stored.
void convertInRegion(linalg::GenericOp generic) {
  Block &body = generic.getRegion().front();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  Location loc = generic.getLoc();
  Type f32 = b.getF32Type(), bf16 = b.getBF16Type();
  for (auto [argument, operand] : llvm::zip(body.getArguments(), generic->getOperands())) {
    if (argument.getType() == getElementTypeOrSelf(operand.getType()))
      continue;
    argument.setType(bf16);
    if (argument.use_empty())
      continue;
    auto extended = arith::ExtFOp::create(b, loc, f32, argument);
    argument.replaceAllUsesExcept(extended, extended);
  }
  b.setInsertionPoint(body.getTerminator());
  for (auto [operand, result] : llvm::zip(body.getTerminator()->getOpOperands(), generic.getResultTypes()))
    if (operand.get().getType() != getElementTypeOrSelf(result))
      operand.set(arith::TruncFOp::create(b, loc, bf16, operand.get()));
}

struct LowerPrecision : adjc::impl::LowerPrecisionBase<LowerPrecision> {
  using LowerPrecisionBase::LowerPrecisionBase;

  void runOnOperation() override {
    if (dtype == "f32")
      return;
    if (dtype != "bf16") {
      getOperation().emitError("dtype=") << dtype << " is not known; give f32 or bf16";
      return signalPassFailure();
    }
    for (auto model : getOperation().getOps<ssm::ModelOp>())
      lower(model);
  }

  void lower(ssm::ModelOp model) {
    Storage storage(model);
    SmallVector<Value> lowered;
    auto consider = [&](Value value) {
      if (isActivation(value) && !storage.isKept(value))
        lowered.push_back(value);
    };
    model.walk([&](Operation *op) {
      llvm::for_each(op->getResults(), consider);
      if (auto loop = dyn_cast<adj::MiniSequencesOp>(op))
        llvm::for_each(loop.getBody().getArguments(), consider);
    });
    for (Value value : lowered)
      value.setType(inBF16(value.getType()));
    numLowered += lowered.size();

    model.walk([&](Operation *op) {
      if (auto generic = dyn_cast<linalg::GenericOp>(op))
        convertInRegion(generic);
      else if (isa<ssm::LinearOp, ssm::LmLossOp>(op))
        roundOperand(op->getOpOperand(0));
    });
  }

  /// Products are of operands in bf16; their weights' working copies are.
  void roundOperand(OpOperand &operand) {
    if (!isActivation(operand.get()))
      return;
    OpBuilder b(operand.getOwner());
    operand.set(
        arith::TruncFOp::create(b, operand.getOwner()->getLoc(), inBF16(operand.get().getType()), operand.get()));
  }
};

} // namespace
