// MlpModel.h - ssm.mlp in hand-written model sections.
#ifndef ADJC_TEST_REFERENCE_MLPMODEL_H
#define ADJC_TEST_REFERENCE_MLPMODEL_H

#include "ModelBuilder.h"

namespace adjrt::reference::test {

struct MlpShape {
  std::int64_t channels = 5, hidden = 13;
  std::string activation = "silu";
  bool gated = true, biased = false;
};

/// ssm.mlp of x, with parameters gate, up, down, and gate_bias, up_bias, down_bias where there are any.
int mlp(ModelBuilder &builder, int x, const MlpShape &shape);

/// A language model of two MLPs, the second on the first, with a residual around them.
ModelBuilder mlpModel(const MlpShape &shape);

} // namespace adjrt::reference::test

#endif
