//===- SsmModel.cpp - ssm.model and ssm.parameter -----------------------------------------------------------------===//
#include "mlir/IR/Builders.h"
#include "ssm/ProgramSyntax.h"
#include "ssm/ShapeChecks.h"
#include "ssm/SsmOps.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::ssm;

//===--------------------------------------------------------------------------------------------------------------===//
// ssm.model
//===--------------------------------------------------------------------------------------------------------------===//

ParseResult ModelOp::parse(OpAsmParser &parser, OperationState &result) {
  if (parseProgram(parser, result))
    return failure();
  ensureTerminator(*result.regions.front(), parser.getBuilder(), result.location);
  return success();
}

void ModelOp::print(OpAsmPrinter &printer) { printProgram(printer, *this); }

/// Replaces the placeholder of a parameter's name by the number of its layer.
static std::string nameOfLayer(StringRef name, int64_t layer) {
  size_t position = name.find("{layer}");
  if (position == StringRef::npos)
    return name.str();
  return (name.take_front(position) + Twine(layer) + name.drop_front(position + 7)).str();
}

/// Parameters of the same name, after the placeholder was replaced, must agree in type and initialiser, and be all of a
/// stack or none.
static LogicalResult verifyParametersAgree(ModelOp model) {
  llvm::StringMap<ParameterOp> known;
  WalkResult result = model.walk([&](ParameterOp parameter) {
    auto repeat = parameter->getParentOfType<RepeatOp>();
    int64_t layers = repeat ? repeat.getCount() : 1;
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::string name = nameOfLayer(parameter.getName(), layer);
      auto [entry, inserted] = known.try_emplace(name, parameter);
      ParameterOp first = entry->second;
      if (inserted)
        continue;
      bool equal = first.getType() == parameter.getType() && first.getInit() == parameter.getInit();
      if (equal && first.getName() == parameter.getName())
        continue;
      auto diagnostic = parameter.emitOpError() << "is the second parameter named \"" << name << "\" and "
                                                << (equal ? "one of a layer, where the first is not"
                                                          : "differs from the first in type or initialiser")
                                                << (equal ? "; rename one" : "; make both equal, or rename one");
      diagnostic.attachNote(first.getLoc()) << "the first is here";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Values of a model are activations, parameters, tokens and the loss: f32, but for tokens and targets, and activations
/// that ssm-lower-precision stores in bf16.
static LogicalResult verifyElementTypes(ModelOp model) {
  WalkResult result = model.walk([&](Operation *op) {
    if (isa_and_nonnull<ScanOp>(op->getParentOp()))
      return WalkResult::advance();
    for (Value value : op->getResults()) {
      auto tensor = dyn_cast<RankedTensorType>(value.getType());
      if (!tensor || isStoredFloat(tensor.getElementType()))
        continue;
      op->emitOpError() << "has a result of type " << value.getType() << "; a model computes on f32 tensors";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Tokens are looked up and targets are predicted, out of one vocabulary.
static LogicalResult verifyVocabulary(ModelOp model) {
  Block &body = model.getBody().front();
  Operation *first = nullptr;
  int64_t vocabulary = 0;
  auto agree = [&](Operation *op, Value table) -> WalkResult {
    int64_t rows = cast<RankedTensorType>(table.getType()).getDimSize(0);
    if (first && rows != vocabulary) {
      auto diagnostic = op->emitOpError() << "has a vocabulary of " << rows << ", which must be the same in the whole "
                                          << "model: it is " << vocabulary << " elsewhere";
      diagnostic.attachNote(first->getLoc()) << "it is " << vocabulary << " here";
      return WalkResult::interrupt();
    }
    first = op;
    vocabulary = rows;
    return WalkResult::advance();
  };
  WalkResult result = model.walk([&](Operation *op) -> WalkResult {
    if (auto embedding = dyn_cast<EmbeddingOp>(op)) {
      if (embedding.getTokens() == body.getArgument(0))
        return agree(op, embedding.getTable());
      op->emitOpError() << "must look up the model's tokens, its first argument";
      return WalkResult::interrupt();
    }
    if (auto loss = dyn_cast<LmLossOp>(op)) {
      if (loss.getTargets() == body.getArgument(1))
        return agree(op, loss.getWeight());
      op->emitOpError() << "must predict the model's targets, its second argument";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult ModelOp::verify() {
  Block &body = getBody().front();
  if (body.getNumArguments() != 2)
    return emitOpError() << "takes 2 arguments, tokens and targets, found " << body.getNumArguments();
  if (failed(checkTokens(*this, "the first argument (tokens)", body.getArgument(0).getType())) ||
      failed(checkTokens(*this, "the second argument (targets)", body.getArgument(1).getType())))
    return failure();
  return success();
}

LogicalResult ModelOp::verifyRegions() {
  auto end = cast<ReturnOp>(getBody().front().getTerminator());
  auto lossType = RankedTensorType::get({}, Float32Type::get(getContext()));
  if (end.getNumOperands() != 1 || end.getOperand(0).getType() != lossType)
    return end.emitOpError() << "must return the loss, one " << lossType << "; found " << end.getNumOperands()
                             << " value(s)" << (end.getNumOperands() ? " of type " : "") << end.getOperandTypes();
  return failure(failed(verifyElementTypes(*this)) || failed(verifyParametersAgree(*this)) ||
                 failed(verifyVocabulary(*this)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// ssm.parameter
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ParameterOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (getName().empty())
    return emitOpError() << "has an empty name";
  if (getName() == "__metadata__")
    return emitOpError() << "is named __metadata__, which parameter files keep for themselves; rename it";
  size_t placeholders = getName().count("{layer}");
  bool inRepeat = (*this)->getParentOfType<RepeatOp>() != nullptr;
  if (inRepeat && placeholders != 1)
    return emitOpError() << "\"" << getName() << "\" is inside ssm.repeat: its name must hold the placeholder {layer} "
                         << "exactly once, found " << placeholders << " times";
  if (!inRepeat && placeholders != 0)
    return emitOpError() << "\"" << getName() << "\" is outside of ssm.repeat: there is no layer to replace {layer} by";
  if (!type.getElementType().isF32())
    return emitOpError() << "\"" << getName() << "\" must hold f32 (parameters are f32 masters), found " << type;
  if (llvm::is_contained(type.getShape(), 0))
    return emitOpError() << "\"" << getName() << "\" has a dimension of size 0: " << type;
  if (getInit().getKind() == "a_log" && type.getRank() != 2)
    return emitOpError() << "\"" << getName() << "\": the initialiser a_log is for (channels, states), found " << type;
  return success();
}
