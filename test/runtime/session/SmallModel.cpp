#include "SmallModel.h"
#include "TestDevice.h"
#include "TestModule.h"

#include <gtest/gtest.h>

#include <random>

namespace adjrt::test {
namespace {

using fb::BufferKind;

fb::ModuleT smallModule(const SmallPlan &settings) {
  fb::ModuleT table = minimalModule();
  fb::PlanT &plan = *table.plan;
  const auto rows = static_cast<std::uint64_t>(settings.batch * settings.shard);
  const std::uint64_t part = (4 * rows + 63) / 64 * 64;
  plan.batch = settings.batch;
  plan.shard = settings.shard;
  plan.context = settings.context;
  plan.vocabulary = kVocabulary;
  plan.boundaries = settings.boundaries;
  plan.optimizer = settings.optimizer;
  plan.parameter_bytes = 64;
  plan.boundary_bytes = static_cast<std::uint64_t>(settings.batch) * 4;
  plan.staging->tokens = 0;
  plan.staging->targets = part;
  plan.staging->resets = 2 * part;
  plan.staging->losses = 3 * part;
  const std::uint64_t states = 4 * part;
  plan.staging->loss_scale = 5 * part;
  plan.fixed_bytes = 5 * part + 64;
  table.parameters.push_back(std::make_unique<fb::ParameterT>());
  table.parameters[0]->name = "w";
  table.parameters[0]->shape = {kVocabulary};
  for (const auto &[name, operands] : {std::pair("model_forward", 6u), {"model_backward", 9u}}) {
    table.kernels.push_back(std::make_unique<fb::KernelT>());
    table.kernels.back()->name = name;
    table.kernels.back()->operand_count = operands;
  }
  enum { Tokens, Targets, Resets, Losses, States, Scale, W, Dw, In, Out, CotangentIn, CotangentOut };
  for (auto &program : table.programs) {
    const auto add = [&](const char *name, BufferKind kind, std::uint64_t offset, std::uint64_t size) {
      program->buffers.push_back(std::make_unique<fb::BufferT>(buffer(name, kind, offset, size)));
    };
    add("tokens", BufferKind::arena, 0, 4 * rows);
    add("targets", BufferKind::arena, part, 4 * rows);
    add("resets", BufferKind::arena, 2 * part, rows);
    add("losses", BufferKind::arena, 3 * part, 4 * rows);
    add("states", BufferKind::arena, states, 4 * rows);
    add("scale", BufferKind::arena, 5 * part, 4);
    add("w", BufferKind::parameters, 0, 4 * kVocabulary);
    add("dw", BufferKind::gradients, 0, 4 * kVocabulary);
    add("in", BufferKind::carry_in, 0, plan.boundary_bytes);
    add("out", BufferKind::carry_out, 0, plan.boundary_bytes);
    add("cotangent in", BufferKind::cotangent_in, 0, plan.boundary_bytes);
    add("cotangent out", BufferKind::cotangent_out, 0, plan.boundary_bytes);
    addBlock(*program);
    addCommand(*program, dispatch(0, {ref(Tokens), ref(Resets), ref(W), ref(In), ref(Out), ref(States)},
                                  {1, 1, fb::Unit::batch}));
  }
  addCommand(*table.programs[1], dispatch(1,
                                          {ref(Tokens), ref(Targets), ref(Resets), ref(States), ref(Scale), ref(Losses),
                                           ref(CotangentIn), ref(CotangentOut), ref(Dw)},
                                          fixed(1)));
  return table;
}

} // namespace

std::vector<float> smallWeights() {
  std::vector<float> weights(kVocabulary);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(i) * 0.7f - 2;
  return weights;
}

std::unique_ptr<Session> openSmall(const SmallPlan &plan, unsigned threads, SessionOptions options) {
  fb::ModuleT table = smallModule(plan);
  retarget(table);
  auto module = parseImage(fileImage(std::move(table), testKernels()));
  EXPECT_TRUE(module) << module.error().message;
  auto session = Session::open(std::move(*module), makeTestDevice(threads), std::move(options));
  EXPECT_TRUE(session) << session.error().message;
  EXPECT_TRUE((*session)->setParameter("w", smallWeights()));
  return std::move(*session);
}

SmallCase::SmallCase(std::int64_t batch, std::int64_t tokens, unsigned seed, bool withResets)
    : batch(batch), tokens(tokens) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> id(0, kVocabulary - 1), die(0, 5);
  for (std::int64_t i = 0; i < batch * tokens; ++i) {
    ids.push_back(id(random));
    targets.push_back(die(random) == 0 && i > 0 ? kIgnoredTarget : id(random));
    counted += targets.back() != kIgnoredTarget;
    if (withResets)
      resets.push_back(die(random) == 0);
  }
}

GradientInputs SmallCase::inputs(std::int64_t begin, std::int64_t end) const {
  GradientInputs result;
  result.batch = batch;
  result.tokens = end - begin;
  result.inputs = {ids.data() + begin, tokens};
  result.targets = {targets.data() + begin, tokens};
  if (!resets.empty())
    result.resets = {resets.data() + begin, tokens};
  return result;
}

SmallCase::Expected SmallCase::expected(const std::vector<float> &initial, const std::vector<float> &cotangents,
                                        std::int64_t total) const {
  const std::vector<float> weights = smallWeights();
  Expected result;
  result.gradient.resize(kVocabulary);
  const double count = static_cast<double>(total ? total : counted);
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto at = [&](std::int64_t t) { return static_cast<std::size_t>(b * tokens + t); };
    const auto kept = [&](std::int64_t t) { return !resets.empty() && resets[at(t)] ? 0.0 : 0.5; };
    std::vector<double> states;
    double state = initial.empty() ? 0 : initial[static_cast<std::size_t>(b)];
    for (std::int64_t t = 0; t < tokens; ++t)
      states.push_back(state = kept(t) * state + weights[static_cast<std::size_t>(ids[at(t)])]);
    result.finalStates.push_back(state);
    double cotangent = cotangents.empty() ? 0 : cotangents[static_cast<std::size_t>(b)];
    for (std::int64_t t = tokens - 1; t >= 0; --t) {
      const double difference =
          targets[at(t)] == kIgnoredTarget ? 0 : states[static_cast<std::size_t>(t)] - targets[at(t)];
      result.loss += difference * difference / 2 / count;
      cotangent += difference / count;
      result.gradient[static_cast<std::size_t>(ids[at(t)])] += cotangent;
      cotangent *= kept(t);
    }
    result.initialCotangents.push_back(cotangent);
  }
  return result;
}

} // namespace adjrt::test
