//===- InPlaceKernels.h - elementwise kernels that write over an input --------------------------------*- C++ -*-===//
#ifndef ADJC_LIB_PLAN_INPLACEKERNELS_H
#define ADJC_LIB_PLAN_INPLACEKERNELS_H

#include "adj/AdjOps.h"

namespace adjc {

/// Rewrites the kernel so that its output `output` takes the buffer of its input `input` (the input becomes the `outs`
/// of the linalg.generic). Only where canRunInPlace holds.
void runInPlace(mlir::adj::KernelOp kernel, unsigned input, unsigned output);

} // namespace adjc

#endif
