// A module's own programs, run by a session.
#include "Evaluator.h"
#include "ModuleParameters.h"

using namespace adjrt;
using namespace adjrun;

namespace {
class SessionEvaluator : public Evaluator {
public:
  SessionEvaluator(std::unique_ptr<Session> session) : session(std::move(session)) {}

  std::string deviceName() const override { return session->device().name(); }
  Status setParameter(std::uint32_t index, std::span<const float> values, std::uint64_t first) override {
    return session->setParameter(name(index), values, first);
  }
  Status getParameter(std::uint32_t index, std::span<float> values, std::uint64_t first) override {
    return session->getParameter(name(index), values, first);
  }
  Status getGradient(std::uint32_t index, std::span<float> values, std::uint64_t first) override {
    return session->getGradient(name(index), values, first);
  }
  Expected<Evaluation> valueAndGrad(const TokenStream &stream) override {
    ADJ_ASSIGN_OR_RETURN(GradientResult result, session->valueAndGrad(inputsOf(stream)));
    return Evaluation{result.loss, result.seconds};
  }
  Status step(const AdamWOptions &options) override { return session->adamwStep(options); }
  Expected<MemoryFigures> memory(std::int64_t tokens) const override {
    MemoryFigures figures;
    figures.peak = session->peakBytes();
    ADJ_ASSIGN_OR_RETURN(figures.arena, session->arenaBytes(tokens));
    ADJ_ASSIGN_OR_RETURN(figures.predictedPeak, session->predictedPeakBytes(tokens));
    ADJ_ASSIGN_OR_RETURN(figures.host, session->hostBytes(tokens));
    return figures;
  }

  Status observeCommands(CommandObserver observer) override {
    session->observeCommands(std::move(observer));
    return {};
  }
  Expected<double> timeAlone(const TokenStream &stream, const CommandPlace &place, std::int64_t tokens,
                             int times) override {
    return session->timeAlone(inputsOf(stream), place, tokens, times);
  }

private:
  static GradientInputs inputsOf(const TokenStream &stream) {
    GradientInputs inputs;
    inputs.batch = stream.batch;
    inputs.tokens = stream.tokens;
    inputs.inputs = &stream.inputs();
    inputs.targets = &stream.targets();
    inputs.resets = stream.resets();
    return inputs;
  }
  std::string_view name(std::uint32_t index) const {
    return session->module().table().parameters()->Get(index)->name()->string_view();
  }

  std::unique_ptr<Session> session;
};
} // namespace

Expected<std::unique_ptr<Evaluator>> adjrun::openSessionEvaluator(std::shared_ptr<const Module> module,
                                                                  const std::string &device,
                                                                  const EvaluatorOptions &options) {
  ADJ_ASSIGN_OR_RETURN(auto opened, makeDevice(device, DeviceOptions{options.threads}));
  opened->observeCommands(options.onCommand);
  SessionOptions sessionOptions;
  sessionOptions.tokens = options.tokens;
  sessionOptions.optimizer = options.optimizer;
  sessionOptions.onAction = options.onAction;
  sessionOptions.callerBytes = kPiece * sizeof(float);
  ADJ_ASSIGN_OR_RETURN(auto session, Session::open(std::move(module), std::move(opened), std::move(sessionOptions)));
  return std::make_unique<SessionEvaluator>(std::move(session));
}
