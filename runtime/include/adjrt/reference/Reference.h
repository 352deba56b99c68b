// adjrt/reference/Reference.h - the reference device: loss and gradients of a module's model section in float64.
//
// It interprets the graph that the compiler verified (docs/model-section.md) with handwritten backpropagation through
// time, holds every activation, and shares no rule with the compiler: it is the judge of every other device's
// gradients.
#ifndef ADJRT_REFERENCE_REFERENCE_H
#define ADJRT_REFERENCE_REFERENCE_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace adjrt::fb {
struct Model;
} // namespace adjrt::fb

namespace adjrt::reference {

/// A dense row-major tensor of float64.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<double> values;

  Tensor() = default;
  /// All zeros.
  explicit Tensor(std::vector<std::int64_t> shape);
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
};

/// "(2, 3)", for messages.
std::string toString(const std::vector<std::int64_t> &shape);

using NamedTensors = std::map<std::string, Tensor>;

/// Name and shape of a parameter, as in Module.parameters.
struct ParameterSpec {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// What one call computes on. All spans are (batch, tokens), row-major, and must outlive the call.
struct Batch {
  std::int64_t batch = 1;
  std::int64_t tokens = 0;
  std::span<const std::int32_t> inputs;
  std::span<const std::int32_t> targets; ///< -100: not counted
  std::span<const std::uint8_t> resets;  ///< empty: none; else not 0 where a document begins
  /// What the summed cross-entropy is divided by; the number of counted targets of this batch when absent.
  std::optional<std::int64_t> countedTargets;
  /// What the tokens before left behind, in the order of Result::finalStates; empty: the sequence begins here.
  std::span<const Tensor> initialStates;
  /// Cotangents of finalStates; empty: the sequence ends here. `loss` ignores them.
  std::span<const Tensor> finalStateCotangents;
};

struct Result {
  double loss = 0;
  NamedTensors gradients;                     ///< one per parameter, of its shape
  std::vector<Tensor> finalStates;            ///< one per carry: docs/model-section.md, "Carries"
  std::vector<Tensor> initialStateCotangents; ///< likewise
};

class ReferenceModel {
public:
  /// Checks that every op, attribute, index and parameter name of `model` is known, and copies what it needs.
  /// Error InvalidInput: an op or attribute that this device doesn't interpret, a graph that isn't well formed.
  static Expected<ReferenceModel> create(const fb::Model &model, std::vector<ParameterSpec> parameters);

  ReferenceModel(ReferenceModel &&) noexcept;
  ReferenceModel &operator=(ReferenceModel &&) noexcept;
  ~ReferenceModel();

  /// Cores to use; 0: all. The result does not depend on it.
  void setThreads(unsigned threads);

  /// Loss, gradients of every parameter, final states and the initial states' cotangents.
  /// Errors: InvalidInput for parameters or a batch that don't fit the model (a token outside the vocabulary is named
  /// by its position), Failed for a loss that is not finite (names the first such token).
  [[nodiscard]] Expected<Result> valueAndGrad(const NamedTensors &parameters, const Batch &batch) const;

  /// The loss alone, for finite differences: nothing is kept for a reverse sweep. Errors as above.
  [[nodiscard]] Expected<double> loss(const NamedTensors &parameters, const Batch &batch) const;

  [[nodiscard]] const std::vector<ParameterSpec> &parameters() const;

private:
  struct Impl;
  explicit ReferenceModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace adjrt::reference

#endif
