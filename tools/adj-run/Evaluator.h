// Loss and gradients of a module, on whichever device: what the verbs are written against.
#ifndef ADJC_TOOLS_ADJRUN_EVALUATOR_H
#define ADJC_TOOLS_ADJRUN_EVALUATOR_H

#include "adjrt/device/Device.h"
#include "adjrt/io/TokenStream.h"
#include "adjrt/module/Module.h"
#include "adjrt/session/Session.h"
#include "adjrt/support/Status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace adjrun {

struct Evaluation {
  double loss = 0;
  double seconds = 0; ///< of the gradient alone
};

/// Bytes. The reference device has no plan: its arena and prediction are 0.
struct MemoryFigures {
  std::uint64_t arena = 0, peak = 0, predictedPeak = 0;
  std::uint64_t host = 0; ///< of the host that data is moved to: on a GPU no part of the peak
};

struct EvaluatorOptions {
  std::string device;      ///< "cpu", "reference"; empty: the module's target
  unsigned threads = 0;    ///< 0: one per core
  std::int64_t tokens = 1; ///< T of the calls to come
  bool optimizer = false;  ///< the calls to come include step()
  std::function<void(const adjrt::ActionTiming &)> onAction;
  adjrt::CommandObserver onCommand; ///< the reference device has no commands: it refuses this
};

/// Parameters and gradients are addressed by their index in the module's list and by element, so that a large one is
/// never held twice.
class Evaluator {
public:
  virtual ~Evaluator() = default;
  virtual std::string deviceName() const = 0;
  virtual adjrt::Status setParameter(std::uint32_t index, std::span<const float> values, std::uint64_t first) = 0;
  virtual adjrt::Status getParameter(std::uint32_t index, std::span<float> values, std::uint64_t first) = 0;
  virtual adjrt::Status getGradient(std::uint32_t index, std::span<float> values, std::uint64_t first) = 0;
  virtual adjrt::Expected<Evaluation> valueAndGrad(const adjrt::TokenStream &stream) = 0;
  /// One AdamW step with the last gradients.
  virtual adjrt::Status step(const adjrt::AdamWOptions &options) = 0;
  /// Tell `observer` of the commands of later calls; an empty one ends it. InvalidInput from the reference device,
  /// which runs none.
  virtual adjrt::Status observeCommands(adjrt::CommandObserver observer) = 0;
  /// Seconds of one command by itself: see Session::timeAlone.
  virtual adjrt::Expected<double> timeAlone(const adjrt::TokenStream &stream, const adjrt::CommandPlace &place,
                                            std::int64_t tokens, int times) = 0;
  virtual adjrt::Expected<MemoryFigures> memory(std::int64_t tokens) const = 0;
};

/// The evaluator for `options.device`. InvalidInput: no such device, one that is not built yet, or a module for another
/// target.
adjrt::Expected<std::unique_ptr<Evaluator>> openEvaluator(std::shared_ptr<const adjrt::Module> module,
                                                          const EvaluatorOptions &options);

// What openEvaluator chooses from.
adjrt::Expected<std::unique_ptr<Evaluator>> openSessionEvaluator(std::shared_ptr<const adjrt::Module> module,
                                                                 const std::string &device,
                                                                 const EvaluatorOptions &options);
adjrt::Expected<std::unique_ptr<Evaluator>> openReferenceEvaluator(std::shared_ptr<const adjrt::Module> module,
                                                                   const EvaluatorOptions &options);

} // namespace adjrun

#endif
