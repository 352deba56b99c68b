//===- AdjOffload.h - values in host memory, and the transfers there and back --------------------------*- C++ -*-===//
#ifndef ADJ_ADJOFFLOAD_H
#define ADJ_ADJOFFLOAD_H

#include "adj/AdjOps.h"

#define GET_OP_CLASSES
#include "adj/AdjOffload.h.inc"

#endif
