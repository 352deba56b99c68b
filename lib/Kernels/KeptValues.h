//===- KeptValues.h - what the reverse pass over a chunk takes from the pass that recomputes it -------*- C++ -*-===//
#ifndef ADJC_KERNELS_KEPTVALUES_H
#define ADJC_KERNELS_KEPTVALUES_H

#include "PointProgram.h"
#include "ScanGeometry.h"
#include "ScanScratch.h"

namespace adjc::scan {

/// Finds values that both programs compute, token by token, and that are dearer to compute than to store and load
/// (exponentials, say). `first` stores them to scratch with a place per token of the chunk (PointIndex::slot, below
/// `every`); `second` reads them there. Comes after both programs are built and before they are staged.
void keepCostlyValues(PointProgram &first, PointProgram &second, const ScanGeometry &geometry, ScanScratch &scratch,
                      int64_t every);

} // namespace adjc::scan

#endif
