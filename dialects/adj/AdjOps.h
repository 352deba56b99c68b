//===- AdjOps.h - the operations of the adj dialect ----------------------------------------------------*- C++ -*-===//
#ifndef ADJ_ADJOPS_H
#define ADJ_ADJOPS_H

#include "adj/AdjAttributes.h"
#include "adj/AdjDialect.h"
#include "adj/AdjInterfaces.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "adj/AdjOps.h.inc"

#endif
