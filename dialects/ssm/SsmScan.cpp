//===- SsmScan.cpp - ssm.scan: syntax and types -------------------------------------------------------------------===//
// What may stand in its regions is verified in ScanVerifier.cpp.
#include "adj/AdjOps.h"
#include "mlir/IR/Builders.h"
#include "ssm/ScanVerifier.h"
#include "ssm/ShapeChecks.h"
#include "ssm/SsmOps.h"

using namespace mlir;
using namespace mlir::ssm;

//===--------------------------------------------------------------------------------------------------------------===//
// Types and maps
//===--------------------------------------------------------------------------------------------------------------===//

AffineMap ScanOp::getInputMap(unsigned i) { return cast<AffineMapAttr>(getIndexingMaps()[i]).getValue(); }
AffineMap ScanOp::getOutputMap(unsigned i) { return getInputMap(getInputs().size() + i); }

SmallVector<int64_t> ScanOp::getDimSizes() {
  SmallVector<Type> types(getInputs().getTypes());
  llvm::append_range(types, getOutputs().getTypes());
  return computeDimSizes(getSpace(*this), getIndexingMaps(), types);
}

RankedTensorType ScanOp::getStateTensorType() {
  SmallVector<int64_t> sizes = getDimSizes();
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  for (int64_t dim : getState())
    shape.push_back(sizes[dim]);
  // A complex state is stored as pairs of real and imaginary part.
  if (isa<ComplexType>(getStateType()))
    shape.push_back(2);
  return RankedTensorType::get(shape, Float32Type::get(getContext()));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Syntax
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// Names of dimensions, as the parser meets them.
struct DimensionNames {
  OpAsmParser &parser;
  SmallVector<StringRef> names;

  ParseResult parseNumber(int64_t &dim) {
    StringRef name;
    SMLoc location = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return failure();
    auto *found = llvm::find(names, name);
    if (found == names.end()) {
      auto diagnostic = parser.emitError(location) << "unknown dimension '" << name << "'; 'over' lists ";
      llvm::interleaveComma(names, diagnostic);
      return failure();
    }
    dim = found - names.begin();
    return success();
  }

  ParseResult parseList(SmallVectorImpl<int64_t> &dims) {
    return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square,
                                          [&] { return parseNumber(dims.emplace_back()); });
  }

  ParseResult parseMap(SmallVectorImpl<Attribute> &maps) {
    SmallVector<int64_t> dims;
    if (parseList(dims))
      return failure();
    MLIRContext *context = parser.getContext();
    SmallVector<AffineExpr> results =
        llvm::map_to_vector(dims, [&](int64_t dim) { return getAffineDimExpr(dim, context); });
    maps.push_back(AffineMapAttr::get(AffineMap::get(names.size(), 0, results, context)));
    return success();
  }
};
} // namespace

/// Parses `: type, type` unless there is nothing to type.
static ParseResult parseTypes(OpAsmParser &parser, bool any, SmallVectorImpl<Type> &types) {
  return any ? parser.parseColonTypeList(types) : ParseResult(success());
}

/// Parses `keyword(%value : type)` if it is there.
static ParseResult parseOptionalOperand(OpAsmParser &parser, StringRef keyword, OperationState &result,
                                        int32_t &count) {
  OpAsmParser::UnresolvedOperand operand;
  Type type;
  if (failed(parser.parseOptionalKeyword(keyword)))
    return success();
  count = 1;
  return failure(parser.parseLParen() || parser.parseOperand(operand) || parser.parseColonType(type) ||
                 parser.parseRParen() || parser.resolveOperand(operand, type, result.operands));
}

ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  auto &properties = result.getOrAddProperties<Properties>();
  DimensionNames dims{parser, {}};
  SmallVector<int64_t> state;
  Type stateType;
  if (parser.parseKeyword("over", " and the dimensions, [b, t, ...]") ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square,
                                     [&] { return parser.parseKeyword(&dims.names.emplace_back()); }) ||
      parser.parseKeyword("state", " and the state's dimensions") || dims.parseList(state))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("contracted"))) {
    int64_t contracted, contracts;
    if (dims.parseNumber(contracted) || parser.parseKeyword("of") || dims.parseNumber(contracts))
      return failure();
    properties.contracted = builder.getI64IntegerAttr(contracted);
    properties.contracts = builder.getI64IntegerAttr(contracts);
  }
  if (parser.parseColonType(stateType) || parser.parseKeyword("ins", " and the inputs"))
    return failure();
  properties.dims = builder.getStrArrayAttr(dims.names);
  properties.state = builder.getDenseI64ArrayAttr(state);
  properties.state_type = TypeAttr::get(stateType);

  SmallVector<OpAsmParser::UnresolvedOperand> inputs;
  SmallVector<Type> inputTypes, outputTypes;
  SmallVector<Attribute> maps;
  if (parser.parseLParen())
    return failure();
  SMLoc location = parser.getCurrentLocation();
  bool anyInput = failed(parser.parseOptionalRParen());
  if (anyInput && (parser.parseCommaSeparatedList([&] {
        return failure(parser.parseOperand(inputs.emplace_back()) || parser.parseKeyword("as") || dims.parseMap(maps));
      }) || parseTypes(parser, true, inputTypes) ||
                   parser.parseRParen()))
    return failure();
  if (parser.resolveOperands(inputs, inputTypes, location, result.operands))
    return failure();

  if (parser.parseKeyword("outs", " and the outputs") || parser.parseLParen() ||
      parser.parseCommaSeparatedList([&] { return dims.parseMap(maps); }) || parseTypes(parser, true, outputTypes) ||
      parser.parseRParen())
    return failure();
  properties.indexing_maps = builder.getArrayAttr(maps);

  int32_t initials = 0, resets = 0, finals = 0, checkpoints = 0;
  Type extra;
  if (parseOptionalOperand(parser, "initial", result, initials) ||
      parseOptionalOperand(parser, "resets", result, resets))
    return failure();
  result.addTypes(outputTypes);
  if (succeeded(parser.parseOptionalKeyword("final"))) {
    finals = 1;
    if (parser.parseLParen() || parser.parseType(extra) || parser.parseRParen())
      return failure();
    result.addTypes(extra);
  }
  if (succeeded(parser.parseOptionalKeyword("checkpoints"))) {
    checkpoints = 1;
    int64_t every;
    if (parser.parseLParen() || parser.parseKeyword("every") || parser.parseInteger(every) ||
        parser.parseColonType(extra) || parser.parseRParen())
      return failure();
    properties.checkpoint_every = builder.getI64IntegerAttr(every);
    result.addTypes(extra);
  }
  properties.operandSegmentSizes = {static_cast<int32_t>(inputs.size()), initials, resets};
  properties.resultSegmentSizes = {static_cast<int32_t>(outputTypes.size()), finals, checkpoints};
  Region *step = result.addRegion();
  Region *read = result.addRegion();
  return failure(parser.parseOptionalAttrDictWithKeyword(result.attributes) || parser.parseKeyword("step") ||
                 parser.parseRegion(*step) || parser.parseKeyword("read") || parser.parseRegion(*read));
}

void ScanOp::print(OpAsmPrinter &printer) {
  auto printDim = [&](int64_t dim) { printer << cast<StringAttr>(getDims()[dim]).getValue(); };
  auto printDims = [&](ArrayRef<int64_t> dims) {
    printer << '[';
    llvm::interleaveComma(dims, printer, printDim);
    printer << ']';
  };
  auto printMap = [&](AffineMap map) {
    printDims(llvm::map_to_vector(
        map.getResults(), [](AffineExpr result) -> int64_t { return cast<AffineDimExpr>(result).getPosition(); }));
  };
  printer << " over [";
  llvm::interleaveComma(getDims().getAsValueRange<StringAttr>(), printer);
  printer << "] state ";
  printDims(getState());
  if (getContracted() && getContracts()) {
    printer << " contracted ";
    printDim(*getContracted());
    printer << " of ";
    printDim(*getContracts());
  }
  printer << " : " << getStateType();
  printer.printNewline();
  printer << "    ins(";
  for (auto [i, input] : llvm::enumerate(getInputs())) {
    printer << (i ? ", " : "") << input << " as ";
    printMap(getInputMap(i));
  }
  if (!getInputs().empty())
    printer << " : " << getInputs().getTypes();
  printer << ") outs(";
  for (unsigned i = 0; i < getOutputs().size(); ++i) {
    printer << (i ? ", " : "");
    printMap(getOutputMap(i));
  }
  printer << " : " << getOutputs().getTypes() << ')';
  if (Value initial = getInitial())
    printer << " initial(" << initial << " : " << initial.getType() << ')';
  if (Value resets = getResets())
    printer << " resets(" << resets << " : " << resets.getType() << ')';
  if (Value final = getFinal())
    printer << " final(" << final.getType() << ')';
  if (Value checkpoints = getCheckpoints())
    printer << " checkpoints(every " << getCheckpointEvery().value_or(0) << " : " << checkpoints.getType() << ')';
  SmallVector<StringRef> elided = {
      getDimsAttrName(),      getStateAttrName(),        getStateTypeAttrName(),           getContractedAttrName(),
      getContractsAttrName(), getIndexingMapsAttrName(), getOperandSegmentSizesAttrName(), "resultSegmentSizes"};
  if (getCheckpoints())
    elided.push_back(getCheckpointEveryAttrName());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), elided);
  printer << " step ";
  printer.printRegion(getStep());
  printer << " read ";
  printer.printRegion(getRead());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Verifiers
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ScanOp::verify() {
  if (getOutputs().empty())
    return emitOpError() << "has no outputs";
  SmallVector<Type> types(getInputs().getTypes());
  llvm::append_range(types, getOutputs().getTypes());
  auto describe = [&](unsigned i) {
    unsigned inputs = getInputs().size();
    return (i < inputs ? "input " + Twine(i) : "output " + Twine(i - inputs)).str();
  };
  if (failed(verifyScanSpace(*this, getSpace(*this), getStateType(), getIndexingMaps(), types, describe)))
    return failure();
  ScanSpace space = getSpace(*this);
  for (unsigned i = 0; i < getOutputs().size(); ++i)
    for (unsigned dim : {kBatchDim, kTokenDim})
      if (!space.of(getOutputMap(i)).test(dim))
        return emitOpError() << "the map of output " << i << " lacks '" << space.name(dim)
                             << "'; a scan's output has a value for every sequence and token";
  if (getInitial() && failed(checkType(*this, "initial state", getInitial().getType(), getStateTensorType())))
    return failure();
  if (getFinal() && failed(checkType(*this, "final state", getFinal().getType(), getStateTensorType())))
    return failure();
  if (getResets() && failed(checkType(*this, "resets", getResets().getType(), getResetsType(getContext()))))
    return failure();
  if ((getCheckpoints() != nullptr) != getCheckpointEvery().has_value())
    return emitOpError() << "needs checkpoint_every where it yields checkpoints, and only there";
  if (getCheckpoints())
    return verifyCheckpoints(*this, getStateTensorType(), *getCheckpointEvery(), getCheckpoints().getType());
  return success();
}

LogicalResult ScanOp::verifyRegions() {
  ScanSpace space = getSpace(*this);
  Type f32 = Float32Type::get(getContext()), flag = IntegerType::get(getContext(), 1);
  SmallVector<Type> arguments(getInputs().size(), f32);
  arguments.push_back(flag);
  if (failed(verifyScanRegion(*this, getStep(), "step", arguments, space)))
    return failure();
  arguments.back() = getStateType();
  arguments.push_back(flag);
  if (failed(verifyScanRegion(*this, getRead(), "read", arguments, space)))
    return failure();

  ScanDimensions dimensions(*this);
  if (failed(verifySums(*this, dimensions, space)))
    return failure();
  auto step = cast<YieldOp>(getStep().front().getTerminator());
  if (step.getNumOperands() != 2)
    return step.emitOpError() << "must yield the transition and the input term, 2 values, found "
                              << step.getNumOperands();
  for (auto [i, value] : llvm::enumerate(step.getOperands())) {
    StringRef what = i == 0 ? "the transition" : "the input term";
    DimensionSet allowed = space.ofState();
    if (i == 0 && space.contracted)
      allowed.set(*space.contracted);
    if (value.getType() != getStateType())
      return step.emitOpError() << what << " must have the state's type, " << getStateType() << ", found "
                                << value.getType();
    DimensionSet excess = dimensions.get(value);
    if (excess.reset(allowed).any())
      return step.emitOpError() << what << " varies over " << space.format(excess)
                                << ", which the state has not; sum over it with ssm.sum, or add it to 'state'";
  }
  auto read = cast<YieldOp>(getRead().front().getTerminator());
  if (read.getNumOperands() != getOutputs().size())
    return read.emitOpError() << "must yield one value per output, " << getOutputs().size() << ", found "
                              << read.getNumOperands();
  for (auto [i, value] : llvm::enumerate(read.getOperands())) {
    if (!value.getType().isF32())
      return read.emitOpError() << "output " << i << " must be f32, found " << value.getType()
                                << (isa<ComplexType>(value.getType()) ? "; take its real part with complex.re" : "");
    DimensionSet varies = dimensions.get(value), wanted = space.of(getOutputMap(i));
    DimensionSet excess = varies, missing = wanted;
    if (excess.reset(wanted).any())
      return read.emitOpError() << "output " << i << " varies over " << space.format(excess)
                                << ", which its map has not; sum over it with ssm.sum, or add it to the map";
    if (missing.reset(varies).any())
      return read.emitOpError() << "output " << i << " does not vary over " << space.format(missing)
                                << ", which its map has; remove it from the map";
  }
  return success();
}

LogicalResult SumOp::verify() {
  if (!isa<ScanOp, adj::ScanAdjointOp>((*this)->getParentOp()))
    return emitOpError() << "must stand in a region of ssm.scan or adj.scan_adjoint";
  if (getDims().empty())
    return emitOpError() << "sums over no dimension";
  return success();
}
