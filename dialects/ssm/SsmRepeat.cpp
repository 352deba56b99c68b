//===- SsmRepeat.cpp - ssm.repeat ---------------------------------------------------------------------------------===//
#include "mlir/IR/Builders.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

RankedTensorType RepeatOp::getSliceType(RankedTensorType stacked) {
  return RankedTensorType::get(stacked.getShape().drop_front(), stacked.getElementType(), stacked.getEncoding());
}

RankedTensorType RepeatOp::getStackedType(int64_t count, RankedTensorType slice) {
  SmallVector<int64_t> shape{count};
  llvm::append_range(shape, slice.getShape());
  return RankedTensorType::get(shape, slice.getElementType(), slice.getEncoding());
}

/// Parses `keyword(%arg = %operand : type, ...)`.
static ParseResult parseBindings(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &arguments,
                                 SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
                                 SmallVectorImpl<Type> &types) {
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
    return failure(parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
                   parser.parseOperand(operands.emplace_back()) || parser.parseColonType(types.emplace_back()));
  });
}

// ssm.repeat 24 iter(%r = %x : T) slices(%s = %y : T) stacks(T) reverse attributes {} { body }
ParseResult RepeatOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  int64_t count;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> inits, slices;
  SmallVector<Type> initTypes, sliceTypes, stackTypes;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseInteger(count) || parser.parseKeyword("iter", " and the carried values") ||
      parseBindings(parser, arguments, inits, initTypes))
    return failure();
  for (auto [argument, type] : llvm::zip(arguments, initTypes))
    argument.type = type;
  if (succeeded(parser.parseOptionalKeyword("slices"))) {
    SMLoc slicesLocation = parser.getCurrentLocation();
    if (parseBindings(parser, arguments, slices, sliceTypes))
      return failure();
    for (auto [argument, type] : llvm::zip(llvm::drop_begin(arguments, inits.size()), sliceTypes)) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || tensor.getRank() == 0)
        return parser.emitError(slicesLocation, "a sliced value must be a tensor with a leading dimension, found ")
               << type;
      argument.type = getSliceType(tensor);
    }
  }
  if (succeeded(parser.parseOptionalKeyword("stacks")) &&
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                     [&] { return parser.parseType(stackTypes.emplace_back()); }))
    return failure();
  auto &properties = result.getOrAddProperties<Properties>();
  if (succeeded(parser.parseOptionalKeyword("reverse")))
    properties.reverse = builder.getUnitAttr();
  properties.count = builder.getI64IntegerAttr(count);
  properties.operandSegmentSizes = {static_cast<int32_t>(inits.size()), static_cast<int32_t>(slices.size())};
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.resolveOperands(inits, initTypes, location, result.operands) ||
      parser.resolveOperands(slices, sliceTypes, location, result.operands))
    return failure();
  result.addTypes(initTypes);
  result.addTypes(stackTypes);
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, arguments))
    return failure();
  ensureTerminator(*body, builder, result.location);
  return success();
}

static void printBindings(OpAsmPrinter &printer, StringRef keyword, Block::BlockArgListType arguments,
                          OperandRange operands) {
  printer << ' ' << keyword << '(';
  llvm::interleaveComma(llvm::zip(arguments, operands), printer, [&](auto pair) {
    auto [argument, operand] = pair;
    printer << argument << " = " << operand << " : " << operand.getType();
  });
  printer << ')';
}

void RepeatOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getCount();
  printBindings(printer, "iter", getCarriedArgs(), getInits());
  if (!getSlices().empty())
    printBindings(printer, "slices", getSliceArgs(), getSlices());
  if (!getStacked().empty())
    printer << " stacks(" << getStacked().getTypes() << ')';
  if (getReverse())
    printer << " reverse";
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {getCountAttrName(), getReverseAttrName(), getOperandSegmentSizesAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/true);
}

LogicalResult RepeatOp::verify() {
  if (getCount() < 1)
    return emitOpError() << "must run at least once, found a count of " << getCount();
  if ((*this)->getParentOfType<RepeatOp>())
    return emitOpError() << "must not be inside another ssm.repeat; write one stack after the other";
  size_t carried = getInits().size();
  if (getResults().size() < carried)
    return emitOpError() << "has " << getResults().size() << " results, expected at least one per carried value, "
                         << carried;
  if (getBody().getNumArguments() != carried + getSlices().size())
    return emitOpError() << "has a body with " << getBody().getNumArguments() << " arguments, expected " << carried
                         << " carried values and " << getSlices().size() << " slices";
  for (auto [i, init, argument, final] : llvm::enumerate(getInits(), getCarriedArgs(), getFinals()))
    if (init.getType() != argument.getType() || init.getType() != final.getType())
      return emitOpError() << "carried value " << i << " changes its type: starts as " << init.getType() << ", is "
                           << argument.getType() << " in the body, ends as " << final.getType();
  for (auto [i, slice, argument] : llvm::enumerate(getSlices(), getSliceArgs())) {
    auto stacked = cast<RankedTensorType>(slice.getType());
    if (stacked.getRank() == 0 || stacked.getDimSize(0) != static_cast<int64_t>(getCount()))
      return emitOpError() << "sliced value " << i << " needs a leading dimension of " << getCount()
                           << ", one slice per iteration, found " << stacked;
    if (getSliceType(stacked) != argument.getType())
      return emitOpError() << "slice " << i << " is " << argument.getType() << " in the body, expected "
                           << getSliceType(stacked);
  }
  return success();
}

LogicalResult RepeatOp::verifyRegions() {
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (yield.getNumOperands() != getNumResults())
    return yield.emitOpError() << "yields " << yield.getNumOperands() << " values, expected " << getNumResults()
                               << ": one per result of the ssm.repeat";
  size_t carried = getInits().size();
  for (auto [i, value] : llvm::enumerate(yield.getOperands())) {
    Type type = value.getType();
    if (i >= carried) {
      auto slice = dyn_cast<RankedTensorType>(type);
      if (!slice)
        return yield.emitOpError() << "value " << i << " must be a tensor to be stacked, found " << type;
      type = getStackedType(getCount(), slice);
    }
    if (type != getResult(i).getType())
      return yield.emitOpError() << "value " << i << " is " << value.getType() << ", which "
                                 << (i < carried ? "does not continue the carried value of type "
                                                 : "does not stack to the result of type ")
                                 << getResult(i).getType();
  }
  return success();
}
