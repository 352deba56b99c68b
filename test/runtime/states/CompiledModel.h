// A spec compiled by adjc, on the cpu device and on the reference device with the same parameters.
#ifndef ADJC_TEST_RUNTIME_STATES_COMPILEDMODEL_H
#define ADJC_TEST_RUNTIME_STATES_COMPILEDMODEL_H

#include "Problem.h"
#include "Specs.h"
#include "adjrt/module/Carries.h"
#include "adjrt/reference/Reference.h"
#include "adjrt/session/Session.h"

#include <optional>

namespace adjrt::test {

/// The module file of `spec` under adjc's `options`; compiled when there is none yet, or adjc is newer. Throws when
/// adjc fails.
std::string compileSpec(const Spec &spec, const std::string &options);

class CompiledModel {
public:
  /// Initial parameters of seed 1, each moved a little, so that none is at a special point. Throws what cannot be
  /// opened.
  CompiledModel(const Spec &spec, const std::string &options, unsigned threads = 1);

  const Module &module() const { return session->module(); }
  std::int64_t batch() const { return module().plan().batch(); }
  std::int64_t vocabulary() const { return module().plan().vocabulary(); }
  /// The places of a boundary.
  const std::vector<CarryPlace> &carries() const { return places; }

  /// The problem on the cpu, its sequence cut into calls that begin at token 0 and at each of `cuts`: forward calls
  /// first, then gradients from the last call to the first.
  Outcome run(const Problem &problem, const std::vector<std::int64_t> &cuts = {});
  /// The problem on the reference device, in one call.
  Outcome judge(const Problem &problem) const;

  /// Random states of this module's boundary.
  States randomStates(std::mt19937 &random) const { return test::randomStates(places, random); }

private:
  std::vector<std::byte> pack(const States &states) const;
  States unpack(const std::vector<std::byte> &boundary) const;
  std::vector<reference::Tensor> tensors(const States &states) const;

  std::unique_ptr<Session> session;
  std::vector<CarryPlace> places;
  reference::NamedTensors parameters;
  std::vector<std::vector<std::int64_t>>
      referenceShapes; ///< of its carries; a convolution of one tap has one of size 0
  std::optional<reference::ReferenceModel> referenceModel;
};

} // namespace adjrt::test

#endif
