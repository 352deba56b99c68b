#include "StreamGraph.h"

namespace adjrt::cuda {

StreamGraph::~StreamGraph() {
  const Driver &api = context.driver();
  const Context::Current current(context);
  if (recording) { // an error came between
    GraphHandle piece = nullptr;
    if (api.captureEnd(context.stream(), &piece) == kSuccess && piece)
      api.graphDestroy(piece);
  }
  (void)context.wait();
  if (ready)
    api.graphExecDestroy(ready);
  if (graph)
    api.graphDestroy(graph);
}

Status StreamGraph::record() {
  if (recording)
    return {};
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(api.check(api.captureBegin(context.stream(), kCaptureRelaxed), "cuStreamBeginCapture"));
  recording = true;
  return {};
}

Status StreamGraph::endRecording() {
  const Driver &api = context.driver();
  if (!graph)
    ADJ_RETURN_IF_ERROR(api.check(api.graphCreate(&graph, 0), "cuGraphCreate"));
  if (!recording)
    return {};
  recording = false;
  GraphHandle piece = nullptr;
  ADJ_RETURN_IF_ERROR(api.check(api.captureEnd(context.stream(), &piece), "cuStreamEndCapture"));
  const GraphNode before = last;
  const Status status =
      api.check(api.graphAddChild(&last, graph, &before, before ? 1 : 0, piece), "cuGraphAddChildGraphNode");
  api.graphDestroy(piece);
  return status;
}

Status StreamGraph::add(const KernelLaunch &kernel) {
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(endRecording());
  const GraphNode before = last;
  ADJ_RETURN_IF_ERROR(
      api.check(api.graphAddKernel(&last, graph, &before, before ? 1 : 0, &kernel), "cuGraphAddKernelNode"));
  kernels.push_back(last);
  return {};
}

Status StreamGraph::finish() {
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(endRecording());
  return api.check(api.graphInstantiate(&ready, graph, 0), "cuGraphInstantiate");
}

Status StreamGraph::set(std::size_t index, const KernelLaunch &kernel) const {
  const Driver &api = context.driver();
  return api.check(api.graphSetKernel(ready, kernels[index], &kernel), "cuGraphExecKernelNodeSetParams");
}

Status StreamGraph::launch() const {
  const Driver &api = context.driver();
  return api.check(api.graphLaunch(ready, context.stream()), "cuGraphLaunch");
}

} // namespace adjrt::cuda
