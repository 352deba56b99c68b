#include "adjc/Plan/Timeline.h"

#include "adjc/Plan/Cost/CallCost.h"
#include "adjc/Plan/SpecPlace.h"

#include <limits>

using namespace mlir;

namespace adjc {

StringRef nameOf(BufferUse use) {
  static constexpr StringLiteral names[kBufferUses] = {"staging", "tape", "activations", "workspace"};
  return names[static_cast<unsigned>(use)];
}

uint64_t TimelineCommand::heldBytes() const {
  uint64_t bytes = 0;
  for (uint64_t each : held)
    bytes += each;
  return bytes;
}

size_t Timeline::peakCommand() const {
  size_t peak = 0;
  for (size_t i = 1; i < commands.size(); ++i)
    if (commands[i].heldBytes() > commands[peak].heldBytes())
      peak = i;
  return peak;
}

std::vector<const TimelineBuffer *> Timeline::heldAt(size_t command) const {
  std::vector<const TimelineBuffer *> held;
  for (const TimelineBuffer &buffer : buffers)
    if (buffer.first <= command && command <= buffer.last)
      held.push_back(&buffer);
  llvm::stable_sort(held, [](auto *a, auto *b) { return a->bytes > b->bytes; });
  return held;
}

namespace {

/// Where in the spec each storage's first value is made.
std::vector<std::string> placesOfStorages(const ProgramPlan &plan) {
  std::vector<std::pair<int64_t, Operation *>> makers(plan.storages.size(),
                                                      {std::numeric_limits<int64_t>::max(), nullptr});
  for (auto &[value, place] : plan.places)
    if (Operation *op = mlir::Value(value).getDefiningOp()) {
      auto &maker = makers[place.storage];
      if (int64_t position = plan.firstPosition.lookup(op); position < maker.first)
        maker = {position, op};
    }
  std::vector<std::string> places;
  for (auto &[position, op] : makers)
    places.push_back(op ? placeOf(op->getLoc()) : "");
  return places;
}

Timeline makeTimeline(const MemoryPlan &memory, const ProgramPlan &plan, const ProgramWork &work,
                      const Machine &machine) {
  Timeline timeline;
  timeline.program = work.name;
  // Copies come after all else in `work`, and before the operation of their position in the program.
  std::vector<std::pair<int64_t, const CommandWork *>> order;
  for (const CommandWork &command : work.commands)
    order.push_back({2 * plan.firstPosition.lookup(command.operation) + (command.op == "copy" ? 0 : 1), &command});
  llvm::stable_sort(order, [](const auto &a, const auto &b) { return a.first < b.first; });
  std::vector<int64_t> positions;
  for (auto &[position, command] : order) {
    TimelineCommand entry;
    entry.name = command->name;
    entry.op = command->op;
    entry.place = placeOf(command->operation->getLoc());
    entry.kind = command->work.kind;
    entry.layers = command->layers;
    entry.inMini = command->inMini;
    entry.seconds = secondsOfCommand(*command, machine, memory.plan.batch, memory.plan.shard, memory.plan.miniSequence);
    timeline.commands.push_back(std::move(entry));
    positions.push_back(position / 2);
  }
  if (positions.empty())
    return timeline;
  size_t end = positions.size() - 1;

  auto add = [&](TimelineBuffer buffer) {
    for (size_t i = buffer.first; i <= buffer.last; ++i)
      timeline.commands[i].held[static_cast<unsigned>(buffer.use)] += buffer.bytes;
    timeline.buffers.push_back(std::move(buffer));
  };
  std::vector<std::string> places = placesOfStorages(plan);
  for (auto [number, storage] : llvm::enumerate(plan.storages)) {
    if (!storage.inArena())
      continue;
    TimelineBuffer buffer;
    buffer.name = storage.name;
    buffer.place = places[number];
    buffer.use = storage.staged             ? BufferUse::Staging
                 : storage.layerStride != 0 ? BufferUse::Tape
                                            : BufferUse::Activation;
    buffer.offset = storage.offset;
    buffer.bytes = storage.allLayers();
    buffer.layers = storage.layers;
    buffer.last = end;
    if (!storage.staged) {
      auto first = static_cast<size_t>(llvm::lower_bound(positions, storage.first) - positions.begin());
      auto last = static_cast<size_t>(llvm::upper_bound(positions, storage.last) - positions.begin());
      buffer.first = std::min(first, end);
      buffer.last = std::clamp(last == 0 ? 0 : last - 1, buffer.first, end);
    }
    add(std::move(buffer));
  }
  if (memory.workspaceBytes > 0)
    add({"workspace", "", BufferUse::Workspace, memory.workspaceOffset, memory.workspaceBytes, 1, 0, end});
  return timeline;
}

} // namespace

std::vector<Timeline> makeTimelines(const MemoryPlan &memory, const std::vector<ProgramWork> &programs,
                                    const Machine &machine) {
  std::vector<Timeline> timelines;
  std::vector<ProgramWork> complete = withCopies(programs, memory);
  for (auto [plan, work] : llvm::zip(memory.programs, complete))
    timelines.push_back(makeTimeline(memory, plan, work, machine));
  return timelines;
}

} // namespace adjc
