//===- Timeline.h - what the arena holds at every command ----------------------------------------------*- C++ -*-===//
#ifndef ADJC_PLAN_TIMELINE_H
#define ADJC_PLAN_TIMELINE_H

#include "adjc/Plan/Cost/ProgramCost.h"
#include "adjc/Plan/MemoryPlan.h"

#include <string>
#include <vector>

namespace adjc {

/// What a buffer of the arena's fixed part is for.
enum class BufferUse { Staging, Tape, Activation, Workspace };
inline constexpr unsigned kBufferUses = 4;
/// "staging", "tape", "activations", "workspace".
llvm::StringRef nameOf(BufferUse use);

/// A buffer of the fixed part: of all layers, where it has an instance for each.
struct TimelineBuffer {
  std::string name;
  std::string place; ///< in the spec, of what makes its first value
  BufferUse use = BufferUse::Activation;
  uint64_t offset = 0, bytes = 0; ///< in the fixed part
  int64_t layers = 1;
  size_t first = 0, last = 0; ///< commands, both included
};

/// One command, in program order; a stack's commands stand there once.
struct TimelineCommand {
  std::string name, op, place; ///< `place`: in the spec
  WorkKind kind = WorkKind::Pointwise;
  int64_t layers = 1;
  bool inMini = false;
  double seconds = 0;                       ///< predicted, of all its runs in one run of the program on a full shard
  std::array<uint64_t, kBufferUses> held{}; ///< bytes live while it runs, by use
  uint64_t heldBytes() const;
};

struct Timeline {
  std::string program;
  std::vector<TimelineCommand> commands;
  std::vector<TimelineBuffer> buffers;

  /// The command at which most bytes are live, the first of equals; 0 for a program without commands.
  size_t peakCommand() const;
  /// Buffers live at a command, the largest first.
  std::vector<const TimelineBuffer *> heldAt(size_t command) const;
};

/// The timelines of the planned programs. `programs` is what they do (countPrograms), without copies.
std::vector<Timeline> makeTimelines(const MemoryPlan &memory, const std::vector<ProgramWork> &programs,
                                    const Machine &machine);

} // namespace adjc

#endif
