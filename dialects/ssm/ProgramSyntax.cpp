//===- ProgramSyntax.cpp - how ssm.model and adj.program are written ----------------------------------------------===//
#include "ssm/ProgramSyntax.h"

using namespace mlir;

ParseResult ssm::parseProgram(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  Region *body = result.addRegion();
  return failure(parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(), result.attributes) ||
                 parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
                 parser.parseOptionalAttrDictWithKeyword(result.attributes) || parser.parseRegion(*body, arguments));
}

void ssm::printProgram(OpAsmPrinter &printer, Operation *op) {
  Region &body = op->getRegion(0);
  printer << ' ';
  printer.printSymbolName(SymbolTable::getSymbolName(op));
  printer << '(';
  llvm::interleaveComma(body.getArguments(), printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ')';
  printer.printOptionalAttrDictWithKeyword(op->getAttrs(), {SymbolTable::getSymbolAttrName()});
  printer << ' ';
  printer.printRegion(body, /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/true);
}
