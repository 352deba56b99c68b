// Differences.h - directional finite differences: the judge that knows nothing but the loss.
#ifndef ADJC_TEST_REFERENCE_DIFFERENCES_H
#define ADJC_TEST_REFERENCE_DIFFERENCES_H

#include "ModelBuilder.h"

#include <gtest/gtest.h>

namespace adjrt::reference::test {

/// Every parameter's gradient against central differences of the loss along random directions, each parameter by
/// itself. The difference quotient's own error is some 1e-9 of the gradient's scale in float64, Richardson's
/// extrapolation included.
void expectGradientsMatchDifferences(const ReferenceModel &model, NamedTensors parameters, const Batch &batch,
                                     double tolerance = 2e-7);

} // namespace adjrt::reference::test

#endif
