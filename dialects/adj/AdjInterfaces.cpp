//===- AdjInterfaces.cpp - the adjoint and the carry interface --------------------------------------------------===//
#include "adj/AdjInterfaces.h"

using namespace mlir;

#include "adj/AdjInterfaces.cpp.inc"
