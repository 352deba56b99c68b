#include "adjrt/session/Session.h"

#include <algorithm>

namespace adjrt {

Session::~Session() = default;

Expected<std::unique_ptr<Session>> Session::open(std::shared_ptr<const Module> module, std::unique_ptr<Device> device,
                                                 SessionOptions options) {
  std::unique_ptr<Session> session(new Session);
  const fb::Plan &plan = module->plan();
  session->mod = std::move(module);
  session->dev = std::move(device);
  session->options = std::move(options);
  ADJ_ASSIGN_OR_RETURN(session->policy, BoundaryPolicy::parse(plan.boundaries()->string_view()));
  const auto &programs = *session->mod->table().programs();
  for (std::uint32_t i = 0; i < programs.size(); ++i) {
    const std::string_view name = programs[static_cast<flatbuffers::uoffset_t>(i)]->name()->string_view();
    if (name == "forward")
      session->forwardProgram = i;
    if (name == "gradient")
      session->gradientProgram = i;
    if (name == "prepare")
      session->prepareProgram = i;
  }
  session->losses.resize(static_cast<std::size_t>(plan.batch() * plan.shard()));
  ADJ_RETURN_IF_ERROR(session->dev->open(*session->mod));
  const DeviceMemory opened = session->dev->memory();
  session->process = opened.current;
  session->openingPeak = opened.peak;
  ADJ_ASSIGN_OR_RETURN(const ArenaLayout layout, session->layoutFor(std::max<std::int64_t>(1, session->options.tokens),
                                                                    session->options.optimizer));
  ADJ_RETURN_IF_ERROR(session->adopt(layout));
  ADJ_ASSIGN_OR_RETURN(const HostLayout host,
                       session->hostLayoutFor(std::max<std::int64_t>(1, session->options.tokens)));
  ADJ_RETURN_IF_ERROR(session->adoptHost(host));
  return session;
}

Expected<std::int64_t> Session::shardsOf(std::int64_t tokens) const {
  const fb::Plan &plan = mod->plan();
  if (tokens < 1)
    return invalidInput("a sequence of " + std::to_string(tokens) + " tokens; there must be at least 1");
  if (tokens > plan.context())
    return invalidInput("a sequence of " + std::to_string(tokens) + " tokens is longer than the " +
                        std::to_string(plan.context()) +
                        " that the module was planned for; compile it with --context=" + std::to_string(tokens));
  return (tokens - 1) / plan.shard() + 1;
}

std::int64_t Session::tokensOf(std::int64_t shard, std::int64_t tokens) const {
  return std::min(mod->plan().shard(), tokens - shard * mod->plan().shard());
}

Expected<ArenaLayout> Session::layoutFor(std::int64_t tokens, bool optimizer) const {
  ADJ_ASSIGN_OR_RETURN(const std::int64_t shards, shardsOf(tokens));
  const fb::Plan &plan = mod->plan();
  return ArenaLayout::make(plan.parameter_bytes(), plan.working_copy_bytes(), plan.fixed_bytes(), plan.boundary_bytes(),
                           optimizer || layout.optimizer || plan.optimizer()->string_view() == "adamw",
                           std::max(layout.slots, arenaSlots(policy, shards)));
}

Expected<HostLayout> Session::hostLayoutFor(std::int64_t tokens) const {
  ADJ_ASSIGN_OR_RETURN(const std::int64_t shards, shardsOf(tokens));
  return HostLayout::make(mod->plan().host_bytes(), mod->plan().boundary_bytes(), hostSlots(policy, shards));
}

Status Session::adoptHost(const HostLayout &newLayout) {
  ADJ_RETURN_IF_ERROR(dev->reserveHost(newLayout.total));
  host = newLayout;
  return {};
}

Status Session::adopt(const ArenaLayout &newLayout) {
  ADJ_RETURN_IF_ERROR(dev->reserve(newLayout.total));
  const bool moved = newLayout.fixed != layout.fixed;
  const bool first = layout.total == 0;
  if (moved) { // what follows the gradients has new places
    finalStates.reset();
    initialCotangents.reset();
  }
  const bool newMoments = newLayout.optimizer && !layout.optimizer;
  layout = newLayout;
  if (newMoments && !first)
    return dev->zero(layout.firstMoment, layout.fixed - layout.firstMoment);
  return {};
}

Status Session::reserve(std::int64_t tokens) {
  ADJ_ASSIGN_OR_RETURN(const ArenaLayout wanted, layoutFor(tokens, false));
  if (wanted.total > layout.total)
    ADJ_RETURN_IF_ERROR(adopt(wanted));
  ADJ_ASSIGN_OR_RETURN(const HostLayout wantedHost, hostLayoutFor(tokens));
  return wantedHost.total > host.total ? adoptHost(wantedHost) : Status();
}

Expected<std::uint64_t> Session::arenaBytes(std::int64_t tokens) const {
  ADJ_ASSIGN_OR_RETURN(const std::int64_t shards, shardsOf(tokens));
  const fb::Plan &plan = mod->plan();
  ADJ_ASSIGN_OR_RETURN(const ArenaLayout wanted,
                       ArenaLayout::make(plan.parameter_bytes(), plan.working_copy_bytes(), plan.fixed_bytes(),
                                         plan.boundary_bytes(), layout.optimizer, arenaSlots(policy, shards)));
  return wanted.total;
}

Expected<std::uint64_t> Session::hostBytes(std::int64_t tokens) const {
  ADJ_ASSIGN_OR_RETURN(const HostLayout wanted, hostLayoutFor(tokens));
  return wanted.total;
}

Expected<std::uint64_t> Session::predictedPeakBytes(std::int64_t tokens) const {
  ADJ_ASSIGN_OR_RETURN(const std::uint64_t arena, arenaBytes(tokens));
  ADJ_ASSIGN_OR_RETURN(const std::uint64_t onHost, hostBytes(tokens));
  return std::max(openingPeak, process + options.callerBytes + arena + (dev->countsHostMemory() ? onHost : 0));
}

Status Session::prepare() {
  if (prepareProgram && parametersChanged)
    ADJ_RETURN_IF_ERROR(dev->run(*prepareProgram, bindings(1)));
  parametersChanged = false;
  return {};
}

std::uint64_t Session::boundaryBytes() const { return mod->plan().boundary_bytes(); }

Bindings Session::bindings(std::int64_t shardTokens) const {
  Bindings result;
  result[fb::BufferKind::arena] = layout.fixed;
  result[fb::BufferKind::parameters] = layout.parameters;
  result[fb::BufferKind::gradients] = layout.gradients;
  result[fb::BufferKind::working_copies] = layout.workingCopies;
  // Programs without carries or cotangents get valid places all the same.
  result[fb::BufferKind::carry_in] = result[fb::BufferKind::carry_out] = layout.boundaries;
  result[fb::BufferKind::cotangent_in] = result[fb::BufferKind::cotangent_out] = layout.cotangents;
  result.batch = mod->plan().batch();
  result.tokens = shardTokens;
  return result;
}

} // namespace adjrt
