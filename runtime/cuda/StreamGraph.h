// A CUDA graph recorded from the stream, with kernels among it whose arguments may change from launch to launch.
#ifndef ADJRT_CUDA_STREAMGRAPH_H
#define ADJRT_CUDA_STREAMGRAPH_H

#include "Context.h"

#include <vector>

namespace adjrt::cuda {

/// Pieces run one after the other, in the order in which they were recorded or added.
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
  /// The graph is complete: make it ready to launch.
  Status finish();

  /// What kernel `index` is launched with from now on.
  Status set(std::size_t index, const KernelLaunch &kernel) const;
  /// Put the whole on the stream.
  Status launch() const;

private:
  Status endRecording();

  const Context &context;
  GraphHandle graph = nullptr;     ///< while it is made
  GraphExecHandle ready = nullptr; ///< what is launched
  bool recording = false;
  GraphNode last = nullptr;
  std::vector<GraphNode> kernels;
};

} // namespace adjrt::cuda

#endif
