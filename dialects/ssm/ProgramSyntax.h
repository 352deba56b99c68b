//===- ProgramSyntax.h - how ssm.model and adj.program are written --------------------------------------*- C++ -*-===//
#ifndef SSM_PROGRAMSYNTAX_H
#define SSM_PROGRAMSYNTAX_H

#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::ssm {

/// Parses `@name(%argument: type, ...) attributes {...} { body }` into `result`'s attributes and only region.
ParseResult parseProgram(OpAsmParser &parser, OperationState &result);

/// Prints `op`, a symbol with one region of one block, in that form.
void printProgram(OpAsmPrinter &printer, Operation *op);

} // namespace mlir::ssm

#endif
