// A program's runs that are alike, recorded once as a CUDA graph and replayed.
#ifndef ADJRT_CUDA_REPLAY_H
#define ADJRT_CUDA_REPLAY_H

#include "StreamGraph.h"
#include "program/CommandList.h"

#include <list>
#include <optional>

namespace adjrt::cuda {

/// Whether an address of `command` depends on the slot that boundaries or cotangents are in: on what differs from shard
/// to shard.
bool usesSlots(const program::Command &command);

/// One recorded run: everything but the slots is as it was.
class Recording {
public:
  explicit Recording(const Context &context) : graph(context) {}

  /// A dispatch whose arguments are made again for every replay, where it stands in the program, and which kernel of
  /// the graph it is.
  struct Varying {
    const program::Command *command;
    program::Scope scope;
  };

  StreamGraph graph;
  std::vector<Varying> varying; ///< in the order of the graph's kernels
  Bindings bound;               ///< the slots that the graph's kernels are set to
};

/// The recordings of one program, the last few used. A run is recorded when it comes for the second time, so that what
/// runs once costs nothing, and libraries have chosen their algorithms before.
class Recordings {
public:
  /// How many differing runs are remembered: whole shards and a shorter last one, for two lengths of context.
  static constexpr std::size_t kMost = 4;

  /// What must be equal for a recording to serve: the shard's size and every address that is no slot's.
  struct Key {
    Address arena;
    const std::byte *host;
    std::array<std::uint64_t, 5> base; ///< of fb::BufferKind arena, parameters, gradients, working_copies, host
    std::int64_t batch, tokens;
    bool operator==(const Key &) const = default;
  };
  static Key keyOf(Address arena, const std::byte *host, const Bindings &bindings);

  struct Entry {
    Key key;
    std::unique_ptr<Recording> recording; ///< null: run once so far
  };
  /// The entry of that key, or null when it comes for the first time; it is remembered then.
  Entry *find(const Key &key);

private:
  std::list<Entry> entries; ///< the last used first
};

} // namespace adjrt::cuda

#endif
