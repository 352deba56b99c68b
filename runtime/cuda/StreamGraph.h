// A CUDA graph recorded from the stream, with kernels among it whose arguments may change from launch to launch.
#ifndef ADJRT_CUDA_STREAMGRAPH_H
#define ADJRT_CUDA_STREAMGRAPH_H

#include "Context.h"

#include <array>
#include <functional>
#include <vector>

namespace adjrt::cuda {

/// Pieces run one after the other, in the order in which they were recorded or added; transfers run beside the pieces
/// after them until they are awaited, those of one direction one after the other.
class StreamGraph {
public:
  explicit StreamGraph(const Context &context) : context(context) {}
  ~StreamGraph();
  StreamGraph(const StreamGraph &) = delete;
  StreamGraph &operator=(const StreamGraph &) = delete;

  /// From now on, what is put on the stream is recorded and does not run, until `add` or `finish`.
  Status record();
  /// A kernel whose arguments `set` changes. They are numbered from 0 in the order in which they are added.
  Status add(const KernelLaunch &kernel);
  /// A transfer, put on `stream` by `copy`; it begins after what was recorded or added before.
  Status addTransfer(bool toHost, Stream stream, const std::function<Status(Stream)> &copy);
  /// One that moves nothing.
  void addEmptyTransfer(bool toHost);
  /// What is recorded or added from now on waits for all transfers of that direction but the last `behind`.
  Status await(bool toHost, std::uint64_t behind);
  /// The graph is complete: make it ready to launch.
  Status finish();

  /// What kernel `index` is launched with from now on.
  Status set(std::size_t index, const KernelLaunch &kernel) const;
  /// Put the whole on the stream.
  Status launch() const;

private:
  /// The transfers of one direction, and how many of them were awaited.
  struct Queue {
    std::vector<GraphNode> nodes; ///< null: an empty one with nothing before it
    std::size_t awaited = 0;
  };

  Status endRecording();
  /// End a recording of `stream` and make a node of it, after the `before` nodes.
  Status addPiece(Stream stream, const std::vector<GraphNode> &before, GraphNode &node);
  /// What the next piece runs after.
  std::vector<GraphNode> dependencies() const;
  void advance(GraphNode node);

  const Context &context;
  GraphHandle graph = nullptr;     ///< while it is made
  GraphExecHandle ready = nullptr; ///< what is launched
  bool recording = false;
  GraphNode last = nullptr;
  std::vector<GraphNode> kernels;
  std::array<Queue, 2> queues;    ///< to the device, to the host
  std::vector<GraphNode> awaited; ///< transfers that the next piece waits for
};

} // namespace adjrt::cuda

#endif
