//===- SsmAttributes.cpp - attributes of the ssm dialect ----------------------------------------------------------===//
#include "ssm/SsmAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

#include "ssm/SsmEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "ssm/SsmAttributes.cpp.inc"

void ssm::SsmDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ssm/SsmAttributes.cpp.inc"
      >();
}

//===--------------------------------------------------------------------------------------------------------------===//
// #ssm.init<kind, values...>
//===--------------------------------------------------------------------------------------------------------------===//

Attribute ssm::InitAttr::parse(AsmParser &parser, Type) {
  std::string kind;
  SmallVector<double> values;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeywordOrString(&kind))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    if (parser.parseFloat(values.emplace_back()))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), kind,
                    DenseF64ArrayAttr::get(parser.getContext(), values));
}

void ssm::InitAttr::print(AsmPrinter &printer) const {
  printer << '<' << getKind();
  for (double value : getValues()) {
    printer << ", ";
    printer.printFloat(APFloat(value));
  }
  printer << '>';
}

LogicalResult ssm::InitAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef kind,
                                    DenseF64ArrayAttr numbers) {
  ArrayRef<double> values = numbers.asArrayRef();
  auto expected = llvm::StringSwitch<int>(kind)
                      .Cases({"zeros", "ones", "a_log"}, 0)
                      .Case("constant", 1)
                      .Cases({"normal", "uniform", "arange"}, 2)
                      .Case("dt_bias", 3)
                      .Default(-1);
  if (expected < 0)
    return emitError() << "unknown initialiser '" << kind
                       << "'; use zeros, ones, constant, normal, uniform, arange, a_log or dt_bias";
  if (static_cast<int>(values.size()) != expected)
    return emitError() << "initialiser '" << kind << "' takes " << expected << " number(s), found " << values.size();
  if (!llvm::all_of(values, [](double value) { return std::isfinite(value); }))
    return emitError() << "initialiser '" << kind << "' has a number that is not finite";
  if (kind == "normal" && values[1] < 0)
    return emitError() << "initialiser 'normal' has a negative standard deviation, " << values[1];
  if (kind == "uniform" && values[0] > values[1])
    return emitError() << "initialiser 'uniform' goes from " << values[0] << " to " << values[1]
                       << "; write the smaller bound first";
  if (kind == "dt_bias" && !(0 < values[0] && values[0] <= values[1] && 0 < values[2]))
    return emitError() << "initialiser 'dt_bias' takes 0 < smallest <= largest time step and a positive floor, found "
                       << values[0] << ", " << values[1] << ", " << values[2];
  return success();
}
