// The certificate of a module's gradients: the device against the reference, the reference against finite differences.
#ifndef ADJC_TOOLS_ADJRUN_GRADIENTCHECK_H
#define ADJC_TOOLS_ADJRUN_GRADIENTCHECK_H

#include "adjrt/module/Module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adjrun {

struct CheckOptions {
  std::string module, device;
  std::int64_t tokens = 0; ///< T; 0: chosen by chooseCheckTokens
  bool resets = false;
  unsigned threads = 0;
  std::uint64_t seed = 0;
};

/// One parameter's line of the table.
struct ParameterCheck {
  std::string name;
  std::vector<std::int64_t> shape;
  double norm = 0;       ///< of the reference's gradient
  double error = 0;      ///< norm of the difference over `norm`; where the reference is exactly zero, the device's norm
  double slopeError = 0; ///< see SlopeError::relative
  bool ok = false;
};

struct CheckResult {
  std::int64_t tokens = 0, slopeTokens = 0; ///< T of the comparison and of the finite differences
  std::string device;
  double loss = 0, referenceLoss = 0;
  double bound = 0; ///< of ParameterCheck::error
  bool lossOk = false;
  std::vector<ParameterCheck> parameters;
};

/// A T that crosses a few shards but costs the reference seconds rather than hours: min(context, 3 S + 5), and less for
/// large models.
std::int64_t chooseCheckTokens(const adjrt::Module &module);

/// Computes both gradients on random parameters and tokens and compares them. Finite differences are taken per
/// parameter where that is cheap enough, else per group of parameters that differ only by their layer.
adjrt::Expected<CheckResult> checkGradients(std::shared_ptr<const adjrt::Module> module, const CheckOptions &options);

} // namespace adjrun

#endif
