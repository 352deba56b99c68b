// Training on a sequence longer than one call may have: its pieces are streamed, with exact gradients.
//
// usage: example-stream MODULE TEXT STEPS     (MODULE: a model on bytes, batch 1, as adjc makes of mamba-tiny.mlir)
#include "adjrt/initialize/Initialize.h"
#include "adjrt/session/Session.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace adjrt;

namespace {

/// Reads a text's first bytes as tokens: at most `count`.
std::vector<std::int32_t> readTokens(const char *path, std::int64_t count) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  text.resize(std::min(text.size(), static_cast<std::size_t>(count)));
  return {reinterpret_cast<const unsigned char *>(text.data()),
          reinterpret_cast<const unsigned char *>(text.data()) + text.size()};
}

/// Every parameter as the spec's initializers have it.
Status initialize(Session &session) {
  for (const fb::Parameter *parameter : *session.module().table().parameters()) {
    std::vector<float> values(elementCount(*parameter));
    ADJ_RETURN_IF_ERROR(initializeParameter(*parameter, /*seed=*/1, values));
    ADJ_RETURN_IF_ERROR(session.setParameter(parameter->name()->string_view(), values));
  }
  return {};
}

// [streamed gradient]
/// Loss and gradients of `tokens` (the targets are the next tokens), `piece` tokens a call. The gradients stay in the
/// session.
Expected<double> streamedGradient(Session &session, const std::vector<std::int32_t> &tokens, std::int64_t piece) {
  const auto total = static_cast<std::int64_t>(tokens.size()) - 1;
  const auto inputsOf = [&](std::int64_t begin) {
    GradientInputs inputs;
    inputs.tokens = std::min(piece, total - begin);
    inputs.inputs = {tokens.data() + begin, total};
    inputs.targets = {tokens.data() + begin + 1, total};
    inputs.totalTargets = total; // the mean is over the whole sequence
    return inputs;
  };

  // Forward, from the first piece to the last but one: the states before each piece.
  std::vector<std::vector<std::byte>> states(1); // empty: the sequence begins
  for (std::int64_t begin = 0; begin + piece < total; begin += piece) {
    SequenceInputs inputs = inputsOf(begin);
    inputs.initialStates = states.back();
    ADJ_RETURN_IF_ERROR(session.forward(inputs));
    ADJ_RETURN_IF_ERROR(session.getFinalStates(states.emplace_back(session.boundaryBytes())));
  }

  // Gradients, from the last piece to the first: each takes the cotangents of the states after it from the one before.
  double loss = 0;
  std::vector<std::byte> cotangents; // empty: nothing comes after the last piece
  for (auto call = static_cast<std::int64_t>(states.size()) - 1; call >= 0; --call) {
    GradientInputs inputs = inputsOf(call * piece);
    inputs.initialStates = states[static_cast<std::size_t>(call)];
    inputs.finalCotangents = cotangents;
    inputs.accumulate = call + 1 < static_cast<std::int64_t>(states.size());
    ADJ_ASSIGN_OR_RETURN(const GradientResult result, session.valueAndGrad(inputs));
    loss = result.accumulatedLoss;
    cotangents.resize(session.boundaryBytes());
    ADJ_RETURN_IF_ERROR(session.getInitialCotangents(cotangents));
  }
  return loss;
}
// [streamed gradient]

// [train]
Status train(const char *path, const char *text, int steps) {
  ADJ_ASSIGN_OR_RETURN(std::shared_ptr<const Module> module, Module::load(path));
  ADJ_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, makeDevice("cpu", {}));
  const std::int64_t piece = module->plan().context();
  SessionOptions options;
  options.tokens = piece; // memory for the longest call, from the start
  ADJ_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, Session::open(module, std::move(device), options));
  ADJ_RETURN_IF_ERROR(initialize(*session));

  const std::vector<std::int32_t> tokens = readTokens(text, 5 * piece);
  if (tokens.size() < 2)
    return invalidInput(std::string(text) + ": there is no text");
  double first = 0, last = 0;
  for (int step = 0; step < steps; ++step) {
    ADJ_ASSIGN_OR_RETURN(last, streamedGradient(*session, tokens, piece));
    if (step == 0)
      first = last;
    std::printf("step %d  loss %.4f\n", step + 1, last);
    ADJ_RETURN_IF_ERROR(session->adamwStep({.learningRate = 3e-3}));
  }
  return last < first || steps < 2 ? Status() : failed("the loss did not fall");
}
// [train]

} // namespace

int main(int count, char **words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: example-stream MODULE TEXT STEPS\n");
    return 2;
  }
  const Status status = train(words[1], words[2], std::atoi(words[3]));
  if (status)
    return 0;
  std::fprintf(stderr, "example-stream: error: %s\n", status.error().message.c_str());
  return status.error().kind == ErrorKind::InvalidInput ? 2 : 1;
}
