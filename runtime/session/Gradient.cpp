// Executing a checkpoint schedule: forward, and value and gradient.
#include "BoundarySlots.h"
#include "adjrt/session/Session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace adjrt {
namespace {

class Clock {
public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

} // namespace

/// What valueAndGrad keeps from shard to shard.
struct Session::GradientCall {
  GradientCall(const GradientInputs &inputs, double lossSum, std::int64_t shards, BoundarySlots slots)
      : inputs(inputs), lossSum(lossSum), shards(shards), slots(std::move(slots)) {}

  const GradientInputs &inputs;
  double lossSum; ///< over the shards done, those of calls accumulated into included; not yet divided by the total
  double ownLossSum = 0; ///< of this call alone
  std::int64_t shards;
  std::int64_t forwards = 0; ///< shards run forward, recomputations included
  BoundarySlots slots;
  int cotangentIn = 0; ///< which cotangent slot holds the cotangents of the next shard's final states
  std::optional<std::pair<std::int64_t, std::int64_t>>
      notFinite; ///< first (position, sequence) of a loss that is not finite
};

template <typename T>
Status Session::stageRows(const RowsView<T> &rows, std::int64_t batch, std::int64_t begin, std::int64_t tokens,
                          std::uint64_t offset) {
  const auto bytes = static_cast<std::uint64_t>(tokens) * sizeof(T);
  for (std::int64_t b = 0; b < batch; ++b)
    ADJ_RETURN_IF_ERROR(rows.walk(b, begin, tokens, [&](std::int64_t first, std::span<const T> values) {
      return dev->upload(layout.fixed + offset + static_cast<std::uint64_t>(b) * bytes +
                             static_cast<std::uint64_t>(first - begin) * sizeof(T),
                         std::as_bytes(values));
    }));
  return {};
}

Status Session::stage(const SequenceInputs &inputs, const RowsView<std::int32_t> *targets, std::int64_t shard) {
  const fb::Staging &staging = *mod->plan().staging();
  const std::int64_t begin = shard * mod->plan().shard(), tokens = tokensOf(shard, inputs.tokens);
  ADJ_RETURN_IF_ERROR(stageRows(inputs.inputs, inputs.batch, begin, tokens, staging.tokens()));
  if (targets)
    ADJ_RETURN_IF_ERROR(stageRows(*targets, inputs.batch, begin, tokens, staging.targets()));
  if (inputs.resets)
    return stageRows(inputs.resets, inputs.batch, begin, tokens, staging.resets());
  return dev->zero(layout.fixed + staging.resets(), static_cast<std::uint64_t>(inputs.batch * tokens));
}

Status Session::forward(const SequenceInputs &inputs) {
  ADJ_RETURN_IF_ERROR(checkSequence(inputs));
  ADJ_ASSIGN_OR_RETURN(const std::int64_t shards, shardsOf(inputs.tokens));
  finalStates.reset();
  initialCotangents.reset();
  ADJ_RETURN_IF_ERROR(setBoundary(layout.boundarySlot(0), inputs.initialStates));
  ADJ_RETURN_IF_ERROR(prepare());
  const Clock clock;
  int current = 0;
  for (std::int64_t shard = 0; shard < shards; ++shard, current ^= 1) {
    const double begin = clock.seconds();
    ADJ_RETURN_IF_ERROR(stage(inputs, nullptr, shard));
    Bindings bound = bindings(tokensOf(shard, inputs.tokens));
    bound[fb::BufferKind::carry_in] = layout.boundarySlot(current);
    bound[fb::BufferKind::carry_out] = layout.boundarySlot(current ^ 1);
    ADJ_RETURN_IF_ERROR(dev->run(forwardProgram, bound));
    if (options.onAction)
      options.onAction({{Action::Kind::Forward, shard, 0}, shards, begin, clock.seconds()});
  }
  finalStates = layout.boundarySlot(current);
  return {};
}

Expected<double> Session::timeAlone(const GradientInputs &inputs, const CommandPlace &place, std::int64_t tokens,
                                    int times) {
  if (tokens < 1 || tokens > std::min(inputs.tokens, mod->plan().shard()))
    return failed(std::to_string(tokens) + " tokens are no shard's");
  ADJ_RETURN_IF_ERROR(reserve(inputs.tokens));
  finalStates.reset();
  initialCotangents.reset();
  accumulated.reset();
  haveGradients = false;
  // What the command before left in the place of the tokens must not be taken for some.
  GradientInputs piece = inputs;
  piece.tokens = tokens;
  ADJ_RETURN_IF_ERROR(stage(piece, &piece.targets, 0));
  Bindings bound = bindings(tokens);
  bound[fb::BufferKind::carry_in] = layout.boundarySlot(0);
  bound[fb::BufferKind::carry_out] = layout.boundarySlot(1);
  bound[fb::BufferKind::cotangent_in] = layout.cotangentSlot(0);
  bound[fb::BufferKind::cotangent_out] = layout.cotangentSlot(1);
  return dev->timeAlone(place, bound, times);
}

Status Session::collectLosses(GradientCall &call, std::int64_t shard) {
  const std::int64_t tokens = tokensOf(shard, call.inputs.tokens), begin = shard * mod->plan().shard();
  const std::span<float> values(losses.data(), static_cast<std::size_t>(call.inputs.batch * tokens));
  ADJ_RETURN_IF_ERROR(dev->download(layout.fixed + mod->plan().staging()->losses(), std::as_writable_bytes(values)));
  double sum = 0; // per shard first: the sum over shards then adds few terms
  for (std::int64_t b = 0; b < call.inputs.batch; ++b) {
    for (std::int64_t t = 0; t < tokens; ++t) {
      const float loss = values[static_cast<std::size_t>(b * tokens + t)];
      sum += static_cast<double>(loss);
      if (!std::isfinite(loss)) {
        const std::pair place(begin + t, b);
        call.notFinite = call.notFinite ? std::min(*call.notFinite, place) : place;
      }
    }
  }
  call.lossSum += sum;
  call.ownLossSum += sum;
  return {};
}

Status Session::runGradient(GradientCall &call, std::int64_t shard, std::uint64_t carryIn, std::uint64_t carryOut) {
  ADJ_RETURN_IF_ERROR(stage(call.inputs, &call.inputs.targets, shard));
  Bindings bound = bindings(tokensOf(shard, call.inputs.tokens));
  bound[fb::BufferKind::carry_in] = carryIn;
  bound[fb::BufferKind::carry_out] = carryOut;
  bound[fb::BufferKind::cotangent_in] = layout.cotangentSlot(call.cotangentIn);
  bound[fb::BufferKind::cotangent_out] = layout.cotangentSlot(call.cotangentIn ^ 1);
  ADJ_RETURN_IF_ERROR(dev->run(gradientProgram, bound));
  call.cotangentIn ^= 1;
  return collectLosses(call, shard);
}

Status Session::awaitSlot(GradientCall &call) {
  const std::optional<std::uint64_t> behind = call.slots.mustAwait();
  return behind ? dev->await(true, *behind) : Status();
}

Status Session::execute(GradientCall &call, const Action &action) {
  BoundarySlots &slots = call.slots;
  switch (action.kind) {
  case Action::Kind::Save:
    slots.save(action);
    return {};
  case Action::Kind::Offload:
    ADJ_RETURN_IF_ERROR(
        dev->transfer(true, layout.boundarySlot(slots.current()), host.boundarySlot(action.slot), boundaryBytes()));
    slots.offload();
    return {};
  case Action::Kind::Prefetch: {
    if (const auto behind = slots.mustAwaitAll())
      ADJ_RETURN_IF_ERROR(dev->await(true, *behind));
    ADJ_ASSIGN_OR_RETURN(const std::int64_t slot, slots.prefetch());
    return dev->transfer(false, layout.boundarySlot(slot), host.boundarySlot(action.slot), boundaryBytes());
  }
  case Action::Kind::Restore:
    ADJ_RETURN_IF_ERROR(dev->await(false, 0));
    slots.restore(action);
    return {};
  case Action::Kind::Forward:
  case Action::Kind::Recompute: {
    ADJ_RETURN_IF_ERROR(awaitSlot(call));
    ADJ_ASSIGN_OR_RETURN(const std::int64_t output, slots.next());
    ADJ_RETURN_IF_ERROR(stage(call.inputs, nullptr, action.index));
    Bindings bound = bindings(tokensOf(action.index, call.inputs.tokens));
    bound[fb::BufferKind::carry_in] = layout.boundarySlot(slots.current());
    bound[fb::BufferKind::carry_out] = layout.boundarySlot(output);
    ADJ_RETURN_IF_ERROR(dev->run(forwardProgram, bound));
    slots.advance(output);
    ++call.forwards;
    return {};
  }
  case Action::Kind::Gradient: {
    ADJ_RETURN_IF_ERROR(awaitSlot(call));
    ADJ_ASSIGN_OR_RETURN(const std::int64_t output, slots.next());
    ADJ_RETURN_IF_ERROR(
        runGradient(call, action.index, layout.boundarySlot(slots.current()), layout.boundarySlot(output)));
    const bool last = action.index == call.shards - 1;
    if (last)
      finalStates = layout.boundarySlot(output);
    slots.finish(action.index, output, last);
    return {};
  }
  case Action::Kind::End:
    break;
  }
  return {};
}

Expected<GradientResult> Session::valueAndGrad(const GradientInputs &inputs) {
  ADJ_RETURN_IF_ERROR(checkSequence(inputs));
  ADJ_RETURN_IF_ERROR(checkBoundary(inputs.finalCotangents, "final cotangents"));
  ADJ_ASSIGN_OR_RETURN(const std::int64_t counted, countTargets(inputs));
  ADJ_RETURN_IF_ERROR(checkTotal(inputs, counted));
  ADJ_ASSIGN_OR_RETURN(const std::int64_t shards, shardsOf(inputs.tokens));
  ADJ_RETURN_IF_ERROR(reserve(inputs.tokens));
  finalStates.reset();
  initialCotangents.reset();
  haveGradients = false;
  const Accumulated before = inputs.accumulate ? *accumulated : Accumulated();
  accumulated.reset();

  ADJ_RETURN_IF_ERROR(dev->wait()); // what was started before, parameters on their way say, is not this call's time
  const Clock clock;
  const std::int64_t total = inputs.totalTargets ? inputs.totalTargets : counted;
  const float lossScale = static_cast<float>(1.0 / static_cast<double>(total));
  ADJ_RETURN_IF_ERROR(
      dev->upload(layout.fixed + mod->plan().staging()->loss_scale(), std::as_bytes(std::span(&lossScale, 1))));
  if (!inputs.accumulate)
    ADJ_RETURN_IF_ERROR(dev->zero(layout.gradients, mod->plan().parameter_bytes()));
  ADJ_RETURN_IF_ERROR(setBoundary(layout.boundarySlot(0), inputs.initialStates));
  ADJ_RETURN_IF_ERROR(prepare());
  ADJ_RETURN_IF_ERROR(setBoundary(layout.cotangentSlot(0), inputs.finalCotangents));

  GradientResult result;
  result.countedTargets = counted;
  result.shards = shards;
  const std::unique_ptr<Schedule> schedule = makeSchedule(policy, shards);
  GradientCall call(inputs, before.lossSum, shards, BoundarySlots(layout.slots, schedule->slots()));
  for (Action action = schedule->next(); action.kind != Action::Kind::End; action = schedule->next()) {
    const double begin = clock.seconds();
    ADJ_RETURN_IF_ERROR(execute(call, action));
    if (options.onAction)
      options.onAction({action, shards, begin, clock.seconds()});
  }
  ADJ_RETURN_IF_ERROR(dev->wait());
  result.seconds = clock.seconds();
  result.forwardShards = call.forwards;
  if (call.notFinite)
    return failed("the loss is not finite; it first happened at token " + std::to_string(call.notFinite->first) +
                  " of sequence " + std::to_string(call.notFinite->second) +
                  "; look at the parameters, or lower the learning rate that made them");
  initialCotangents = layout.cotangentSlot(call.cotangentIn);
  haveGradients = true;
  accumulated = {call.lossSum, before.countedTargets + counted, total};
  result.loss = call.ownLossSum / static_cast<double>(total);
  result.accumulatedLoss = call.lossSum / static_cast<double>(total);
  return result;
}

} // namespace adjrt
