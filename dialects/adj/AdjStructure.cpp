//===- AdjStructure.cpp - adj.program, what it reads and writes, adj.mini_sequences -------------------------------===//
#include "adj/AdjOps.h"
#include "mlir/IR/Builders.h"
#include "ssm/ProgramSyntax.h"
#include "ssm/ShapeChecks.h"

using namespace mlir;
using namespace mlir::adj;

//===--------------------------------------------------------------------------------------------------------------===//
// adj.program @name(%tokens: T, %targets: T, %resets: T, %scale: T) { ... }
//===--------------------------------------------------------------------------------------------------------------===//

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  if (ssm::parseProgram(parser, result))
    return failure();
  Region &body = *result.regions.front();
  if (body.empty())
    body.emplaceBlock();
  return success();
}

void ProgramOp::print(OpAsmPrinter &printer) { ssm::printProgram(printer, *this); }

LogicalResult ProgramOp::verify() {
  Block::BlockArgListType arguments = getBody().getArguments();
  if (arguments.size() != 4)
    return emitOpError() << "takes 4 arguments, tokens, targets, resets and the loss scale, found " << arguments.size();
  auto scale = RankedTensorType::get({}, Float32Type::get(getContext()));
  auto tokens = RankedTensorType::get({ShapedType::kDynamic, ShapedType::kDynamic}, IntegerType::get(getContext(), 32));
  if (failed(ssm::checkType(*this, "the tokens", arguments[0].getType(), tokens)) ||
      failed(ssm::checkType(*this, "the targets", arguments[1].getType(), tokens)) ||
      failed(ssm::checkType(*this, "the resets", arguments[2].getType(), ssm::getResetsType(getContext()))))
    return failure();
  return ssm::checkType(*this, "the loss scale", arguments[3].getType(), scale);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Gradients and carries
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AccumulateOp::verify() {
  if (getParameter().empty())
    return emitOpError() << "names no parameter";
  auto type = cast<RankedTensorType>(getValue().getType());
  if (!type.hasStaticShape() || !type.getElementType().isF32() || type.getEncoding())
    return emitOpError() << "adds " << type << " to the gradient of \"" << getParameter()
                         << "\"; a gradient is an f32 tensor of static shape (partial sums are summed first)";
  return success();
}

/// A carry: its name, and one instance per sequence of the batch.
static LogicalResult checkCarry(Operation *op, StringRef name, Type type) {
  auto [scope, carry] = name.split('/');
  if (scope.empty() || carry.empty())
    return op->emitOpError() << "has the name \"" << name << "\", expected scope/carry, such as \"scan0/state\"";
  auto tensor = cast<RankedTensorType>(type);
  Type element = tensor.getElementType();
  if (auto complex = dyn_cast<ComplexType>(element))
    element = complex.getElementType();
  if (tensor.getRank() == 0 || !tensor.isDynamicDim(0) || !element.isF32())
    return op->emitOpError() << "carries " << type << ", expected f32 per sequence, tensor<?x...xf32> (batch, ...)";
  return success();
}

LogicalResult CarriedOp::verify() { return checkCarry(*this, getName(), getType()); }

LogicalResult HandOverOp::verify() { return checkCarry(*this, getName(), getValue().getType()); }

//===--------------------------------------------------------------------------------------------------------------===//
// adj.mini_sequences 256 (%x = %y : T, ...) -> (T, ...) { ... }   (without a length until it is chosen)
//===--------------------------------------------------------------------------------------------------------------===//

RankedTensorType MiniSequencesOp::getRowsType(RankedTensorType type) {
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  llvm::append_range(shape, type.getShape().drop_front(2));
  return RankedTensorType::get(shape, type.getElementType(), BlocksAttr::get(type.getContext(), "mini", 1));
}

void MiniSequencesOp::build(OpBuilder &builder, OperationState &state, TypeRange results, ValueRange operands) {
  state.addOperands(operands);
  state.addTypes(results);
  Block &body = state.addRegion()->emplaceBlock();
  for (Value operand : operands)
    body.addArgument(getRowsType(cast<RankedTensorType>(operand.getType())), operand.getLoc());
}

static bool isTokenMajor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() >= 2 && tensor.isDynamicDim(0) && tensor.isDynamicDim(1) &&
         tensor.getNumDynamicDims() == 2;
}

ParseResult MiniSequencesOp::parse(OpAsmParser &parser, OperationState &result) {
  int64_t rows;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types, resultTypes;
  OptionalParseResult hasRows = parser.parseOptionalInteger(rows);
  if (hasRows.has_value()) {
    if (failed(*hasRows))
      return failure();
    result.getOrAddProperties<Properties>().rows = parser.getBuilder().getI64IntegerAttr(rows);
  }
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
        SMLoc typeLocation;
        if (parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
            parser.parseOperand(operands.emplace_back()) || parser.parseColon() ||
            parser.getCurrentLocation(&typeLocation) || parser.parseType(types.emplace_back()))
          return ParseResult(failure());
        if (!isTokenMajor(types.back()))
          return ParseResult(parser.emitError(typeLocation, "expected a tensor of (batch, tokens, ...), found ")
                             << types.back());
        arguments.back().type = getRowsType(cast<RankedTensorType>(types.back()));
        return ParseResult(success());
      }))
    return failure();
  if (succeeded(parser.parseOptionalArrow()) && parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
        return parser.parseType(resultTypes.emplace_back());
      }))
    return failure();
  result.addTypes(resultTypes);
  Region *body = result.addRegion();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.resolveOperands(operands, types, location, result.operands) || parser.parseRegion(*body, arguments))
    return failure();
  if (body->empty())
    body->emplaceBlock();
  return success();
}

void MiniSequencesOp::print(OpAsmPrinter &printer) {
  if (getRows())
    printer << ' ' << *getRows();
  printer << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getOperands()), printer, [&](auto pair) {
    auto [argument, operand] = pair;
    printer << argument << " = " << operand << " : " << operand.getType();
  });
  printer << ')';
  if (getNumResults() != 0)
    printer << " -> (" << getResultTypes() << ')';
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {getRowsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/true);
}

LogicalResult MiniSequencesOp::verify() {
  if (getRows() && static_cast<int64_t>(*getRows()) < 1)
    return emitOpError() << "mini-sequences must have at least 1 row, found " << *getRows();
  Block::BlockArgListType arguments = getBody().getArguments();
  if (arguments.size() != getOperands().size())
    return emitOpError() << "has a body with " << arguments.size() << " arguments, expected one per operand, "
                         << getOperands().size();
  for (auto [i, operand, argument] : llvm::enumerate(getOperands(), arguments)) {
    if (!isTokenMajor(operand.getType()))
      return emitOpError() << "operand " << i << " must be (batch, tokens, ...), found " << operand.getType();
    auto rows = getRowsType(cast<RankedTensorType>(operand.getType()));
    if (argument.getType() != rows)
      return emitOpError() << "argument " << i << " must be the rows of its operand, " << rows << ", found "
                           << argument.getType();
  }
  return success();
}

LogicalResult MiniSequencesOp::verifyRegions() {
  for (Operation &op : getBody().getOps())
    if (isa<CarryOpInterface>(op))
      return op.emitOpError() << "looks at other tokens: it may not stand in mini-sequences, which see a row at a time";
  SmallVector<bool> written(getNumResults(), false);
  for (auto write : getBody().getOps<WriteRowsOp>()) {
    uint64_t number = write.getResult();
    if (number >= written.size())
      return write.emitOpError() << "writes result " << number << "; there are " << written.size();
    if (written[number])
      return write.emitOpError() << "writes result " << number << " a second time";
    written[number] = true;
    auto type = cast<RankedTensorType>((*this)->getResult(number).getType());
    if (!isTokenMajor(type))
      return emitOpError() << "result " << number << " must be (batch, tokens, ...), found " << type;
    auto value = cast<RankedTensorType>(write.getValue().getType()), rows = getRowsType(type);
    if (value != rows)
      return write.emitOpError() << "writes " << value << " into result " << number << ", expected its rows, " << rows;
  }
  for (auto [number, done] : llvm::enumerate(written))
    if (!done)
      return emitOpError() << "never writes result " << number << "; add an adj.write_rows";
  return success();
}
