#include "CompiledModel.h"
#include "adjrt/initialize/Initialize.h"
#include "adjrt/initialize/Random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <unistd.h>

namespace adjrt::test {
namespace {

/// A value or an exception: what cannot go on is no test.
template <typename T> T must(Expected<T> value) {
  if (!value)
    throw std::runtime_error(value.error().message);
  return std::move(*value);
}
void must(const Status &status) {
  if (!status)
    throw std::runtime_error(status.error().message);
}

} // namespace

std::string compileSpec(const Spec &spec, const std::string &options) {
  namespace fs = std::filesystem;
  fs::create_directories(MODULES);
  const std::string stem =
      (fs::path(MODULES) / std::to_string(std::hash<std::string>()(spec.text + " " + options))).string();
  const std::string file = stem + spec.suffix, module = stem + ".adjm";
  if (fs::exists(module) && fs::last_write_time(module) > fs::last_write_time(ADJC))
    return module;
  // Another test may do the same now: both write the same bytes, and adjc's output appears whole.
  const std::string mine = stem + "-" + std::to_string(::getpid()) + spec.suffix;
  std::ofstream(mine) << spec.text;
  fs::rename(mine, file);
  const std::string command = "'" ADJC "' '" + file + "' -o '" + module + "' --cpu=x86-64-v3 " + options;
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("failed: " + command);
  return module;
}

CompiledModel::CompiledModel(const Spec &spec, const std::string &options, unsigned threads) {
  std::shared_ptr<const Module> loaded = must(Module::load(compileSpec(spec, options)));
  session = must(Session::open(loaded, must(makeDevice("cpu", {threads}))));
  places = listCarries(*loaded);
  std::vector<reference::ParameterSpec> specs;
  for (const fb::Parameter *parameter : *loaded->table().parameters()) {
    const std::string name = parameter->name()->str();
    std::vector<float> values(elementCount(*parameter));
    must(initializeParameter(*parameter, 1, values, 0));
    const RandomStream noise(1, "moved " + name);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] += static_cast<float>(0.1 * noise.normal(i));
    must(session->setParameter(name, values));
    specs.push_back({name, {parameter->shape()->begin(), parameter->shape()->end()}});
    reference::Tensor tensor(specs.back().shape);
    tensor.values.assign(values.begin(), values.end());
    parameters[name] = std::move(tensor);
  }
  referenceModel = must(reference::ReferenceModel::create(loaded->model(), std::move(specs)));
  referenceModel->setThreads(1);
  std::mt19937 random(1);
  const Problem smallest(batch(), 1, vocabulary(), random);
  reference::Batch inputs;
  inputs.batch = inputs.tokens = 1;
  inputs.inputs = std::span(smallest.ids).first(1);
  inputs.targets = std::span(smallest.targets).first(1);
  for (reference::Tensor &state : must(referenceModel->valueAndGrad(parameters, inputs)).finalStates)
    referenceShapes.push_back(std::move(state.shape));
}

std::vector<std::byte> CompiledModel::pack(const States &states) const {
  if (states.empty())
    return {};
  std::vector<std::byte> boundary(session->boundaryBytes());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::vector<float> values(states.at(i).begin(), states.at(i).end());
    EXPECT_EQ(values.size() * sizeof(float), places[i].bytes);
    std::memcpy(boundary.data() + places[i].offset, values.data(), places[i].bytes);
  }
  return boundary;
}

States CompiledModel::unpack(const std::vector<std::byte> &boundary) const {
  States states;
  for (const CarryPlace &place : places) {
    std::vector<float> values(place.bytes / sizeof(float));
    std::memcpy(values.data(), boundary.data() + place.offset, place.bytes);
    states.emplace_back(values.begin(), values.end());
  }
  return states;
}

std::vector<reference::Tensor> CompiledModel::tensors(const States &states) const {
  std::vector<reference::Tensor> list;
  if (states.empty())
    return list;
  auto next = states.begin();
  for (std::vector<std::int64_t> shape : referenceShapes) {
    shape[0] = batch();
    reference::Tensor &tensor = list.emplace_back(std::move(shape));
    if (tensor.size() > 0)
      tensor.values = *next++;
  }
  return list;
}

Outcome CompiledModel::run(const Problem &problem, const std::vector<std::int64_t> &cuts) {
  std::vector<std::int64_t> begins{0};
  begins.insert(begins.end(), cuts.begin(), cuts.end());
  const std::size_t calls = begins.size();
  begins.push_back(problem.tokens);
  const auto inputsOf = [&](std::size_t call) {
    GradientInputs inputs;
    inputs.batch = problem.batch;
    inputs.tokens = begins[call + 1] - begins[call];
    inputs.inputs = {problem.ids.data() + begins[call], problem.tokens};
    inputs.targets = {problem.targets.data() + begins[call], problem.tokens};
    if (!problem.resets.empty())
      inputs.resets = {problem.resets.data() + begins[call], problem.tokens};
    inputs.totalTargets = problem.total ? problem.total : problem.counted();
    return inputs;
  };

  std::vector<std::vector<std::byte>> states{pack(problem.initial)};
  for (std::size_t call = 0; call + 1 < calls; ++call) {
    SequenceInputs inputs = inputsOf(call);
    inputs.initialStates = states.back();
    must(session->forward(inputs));
    std::vector<std::byte> final(session->boundaryBytes());
    must(session->getFinalStates(final));
    states.push_back(std::move(final));
  }

  Outcome outcome;
  std::vector<std::byte> cotangents = pack(problem.finalCotangents);
  double losses = 0;
  for (std::size_t call = calls; call-- > 0;) {
    GradientInputs inputs = inputsOf(call);
    inputs.initialStates = states[call];
    inputs.finalCotangents = cotangents;
    inputs.accumulate = call + 1 < calls;
    const GradientResult result = must(session->valueAndGrad(inputs));
    outcome.loss = result.accumulatedLoss;
    losses += result.loss;
    std::vector<std::byte> final(session->boundaryBytes());
    must(session->getFinalStates(final));
    if (call + 1 == calls)
      outcome.finalStates = unpack(final);
    else // the gradient's own states are those of the forward call
      EXPECT_EQ(unpack(final), unpack(states[call + 1])) << "after call " << call;
    cotangents.resize(session->boundaryBytes());
    must(session->getInitialCotangents(cotangents));
  }
  EXPECT_NEAR(losses, outcome.loss, 1e-12 * std::abs(outcome.loss));
  outcome.initialCotangents = unpack(cotangents);
  for (const auto &[name, tensor] : parameters) {
    std::vector<float> values(tensor.values.size());
    must(session->getGradient(name, values));
    outcome.gradients[name].assign(values.begin(), values.end());
  }
  return outcome;
}

Outcome CompiledModel::judge(const Problem &problem) const {
  reference::Batch batch;
  batch.batch = problem.batch;
  batch.tokens = problem.tokens;
  batch.inputs = problem.ids;
  batch.targets = problem.targets;
  batch.resets = problem.resets;
  if (problem.total)
    batch.countedTargets = problem.total;
  const auto initial = tensors(problem.initial), cotangents = tensors(problem.finalCotangents);
  batch.initialStates = initial;
  batch.finalStateCotangents = cotangents;
  reference::Result result = must(referenceModel->valueAndGrad(parameters, batch));
  Outcome outcome;
  outcome.loss = result.loss;
  for (auto &[name, tensor] : result.gradients)
    outcome.gradients[name] = std::move(tensor.values);
  for (auto &tensor : result.finalStates)
    if (tensor.size() > 0)
      outcome.finalStates.push_back(std::move(tensor.values));
  for (auto &tensor : result.initialStateCotangents)
    if (tensor.size() > 0)
      outcome.initialCotangents.push_back(std::move(tensor.values));
  return outcome;
}

} // namespace adjrt::test
