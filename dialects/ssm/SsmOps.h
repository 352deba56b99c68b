//===- SsmOps.h - the operations of the ssm dialect ----------------------------------------------------*- C++ -*-===//
#ifndef SSM_SSMOPS_H
#define SSM_SSMOPS_H

#include "adj/AdjInterfaces.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "ssm/SsmAttributes.h"
#include "ssm/SsmDialect.h"

#define GET_OP_CLASSES
#include "ssm/SsmOps.h.inc"

#endif
