// What a caller may get wrong, checked before anything runs.
#include "adjrt/session/Session.h"

namespace adjrt {
namespace {

/// "token 99 of sequence 0 at position 12": where an id is not one of the vocabulary.
tl::unexpected<Error> outside(const char *what, std::int32_t value, std::int64_t sequence, std::int64_t position,
                              std::int64_t vocabulary) {
  return invalidInput(std::string(what) + " " + std::to_string(value) + " of sequence " + std::to_string(sequence) +
                      " at position " + std::to_string(position) + " is outside the vocabulary of " +
                      std::to_string(vocabulary));
}

} // namespace

Status Session::checkSequence(const SequenceInputs &inputs) const {
  const fb::Plan &plan = mod->plan();
  if (inputs.batch != plan.batch())
    return invalidInput("a batch of " + std::to_string(inputs.batch) + " sequences, but the module was compiled for " +
                        std::to_string(plan.batch()) + "; compile it with --batch=" + std::to_string(inputs.batch));
  ADJ_RETURN_IF_ERROR(shardsOf(inputs.tokens));
  if (!inputs.inputs)
    return invalidInput("there are no tokens");
  for (std::int64_t b = 0; b < inputs.batch; ++b) {
    ADJ_RETURN_IF_ERROR(inputs.inputs.walk(b, 0, inputs.tokens, [&](std::int64_t first, auto ids) -> Status {
      for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] < 0 || ids[i] >= plan.vocabulary())
          return outside("token", ids[i], b, first + static_cast<std::int64_t>(i), plan.vocabulary());
      return {};
    }));
    if (!inputs.resets)
      continue;
    ADJ_RETURN_IF_ERROR(inputs.resets.walk(b, 0, inputs.tokens, [&](std::int64_t first, auto resets) -> Status {
      for (std::size_t i = 0; i < resets.size(); ++i)
        if (resets[i] > 1)
          return invalidInput("reset " + std::to_string(resets[i]) + " of sequence " + std::to_string(b) +
                              " at position " + std::to_string(first + static_cast<std::int64_t>(i)) +
                              " is neither 0 nor 1");
      return {};
    }));
  }
  return checkBoundary(inputs.initialStates, "initial states");
}

Status Session::checkBoundary(std::span<const std::byte> values, const char *what) const {
  if (!values.empty() && values.size() != boundaryBytes())
    return invalidInput(std::string(what) + " of " + std::to_string(values.size()) +
                        " bytes; a boundary of this module has " + std::to_string(boundaryBytes()));
  return {};
}

Expected<std::int64_t> Session::countTargets(const GradientInputs &inputs) const {
  if (!inputs.targets)
    return invalidInput("there are no targets");
  std::int64_t counted = 0;
  for (std::int64_t b = 0; b < inputs.batch; ++b) {
    ADJ_RETURN_IF_ERROR(inputs.targets.walk(b, 0, inputs.tokens, [&](std::int64_t first, auto targets) -> Status {
      for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i] == kIgnoredTarget)
          continue;
        if (targets[i] < 0 || targets[i] >= mod->plan().vocabulary())
          return outside("target", targets[i], b, first + static_cast<std::int64_t>(i), mod->plan().vocabulary());
        ++counted;
      }
      return {};
    }));
  }
  return counted;
}

Status Session::checkTotal(const GradientInputs &inputs, std::int64_t counted) const {
  const std::int64_t total = inputs.totalTargets;
  if (total < 0 || (total > 0 && total < counted))
    return invalidInput("a total of " + std::to_string(total) + " counted targets, but this call alone has " +
                        std::to_string(counted));
  if (!inputs.accumulate) {
    if (total == 0 && counted == 0)
      return invalidInput("no target is counted: all are " + std::to_string(kIgnoredTarget) +
                          "; there is no loss to take the mean of");
    return {};
  }
  if (!accumulated)
    return failed("there are no gradients to accumulate into; the first of several calls does not accumulate");
  if (total != accumulated->totalTargets)
    return invalidInput("a total of " + std::to_string(total) +
                        " counted targets, but the calls to accumulate into had " +
                        std::to_string(accumulated->totalTargets) + "; give all of them the same total");
  if (counted > total - accumulated->countedTargets)
    return invalidInput("a total of " + std::to_string(total) +
                        " counted targets, but this call and those to accumulate into have " +
                        std::to_string(accumulated->countedTargets + counted));
  return {};
}

} // namespace adjrt
