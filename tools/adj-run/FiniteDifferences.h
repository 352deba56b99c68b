// Directional finite differences of the reference's loss: a judge of gradients that knows nothing of derivatives.
#ifndef ADJC_TOOLS_ADJRUN_FINITEDIFFERENCES_H
#define ADJC_TOOLS_ADJRUN_FINITEDIFFERENCES_H

#include "adjrt/reference/Reference.h"

#include <string>
#include <vector>

namespace adjrun {

/// How far a gradient is from the loss's own slope along one direction.
struct SlopeError {
  double relative = 0; ///< |difference| / (norm of the gradient)
  bool ok = false;     ///< within kSlopeBound, or within what rounding leaves of a difference of losses
};

inline constexpr double kSlopeBound = 1e-5;

/// Holds `gradients` of the parameters in `names` against a five-point difference of the loss along a direction within
/// them: half their gradient, half random. `parameters` is changed while it runs, and restored.
adjrt::Expected<SlopeError> checkSlope(const adjrt::reference::ReferenceModel &model,
                                       adjrt::reference::NamedTensors &parameters, const adjrt::reference::Batch &batch,
                                       const adjrt::reference::NamedTensors &gradients,
                                       const std::vector<std::string> &names, std::uint64_t seed);

} // namespace adjrun

#endif
