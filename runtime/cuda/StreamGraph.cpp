#include "StreamGraph.h"

#include <algorithm>

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

std::vector<GraphNode> StreamGraph::dependencies() const {
  std::vector<GraphNode> result = awaited;
  if (last)
    result.push_back(last);
  return result;
}

void StreamGraph::advance(GraphNode node) {
  last = node;
  awaited.clear();
}

Status StreamGraph::addPiece(Stream stream, const std::vector<GraphNode> &before, GraphNode &node) {
  const Driver &api = context.driver();
  GraphHandle piece = nullptr;
  ADJ_RETURN_IF_ERROR(api.check(api.captureEnd(stream, &piece), "cuStreamEndCapture"));
  const Status status =
      api.check(api.graphAddChild(&node, graph, before.data(), before.size(), piece), "cuGraphAddChildGraphNode");
  api.graphDestroy(piece);
  return status;
}

Status StreamGraph::endRecording() {
  const Driver &api = context.driver();
  if (!graph)
    ADJ_RETURN_IF_ERROR(api.check(api.graphCreate(&graph, 0), "cuGraphCreate"));
  if (!recording)
    return {};
  recording = false;
  GraphNode node = nullptr;
  ADJ_RETURN_IF_ERROR(addPiece(context.stream(), dependencies(), node));
  advance(node);
  return {};
}

Status StreamGraph::add(const KernelLaunch &kernel) {
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(endRecording());
  const std::vector<GraphNode> before = dependencies();
  GraphNode node = nullptr;
  ADJ_RETURN_IF_ERROR(
      api.check(api.graphAddKernel(&node, graph, before.data(), before.size(), &kernel), "cuGraphAddKernelNode"));
  advance(node);
  kernels.push_back(node);
  return {};
}

Status StreamGraph::addTransfer(bool toHost, Stream stream, const std::function<Status(Stream)> &copy) {
  const Driver &api = context.driver();
  ADJ_RETURN_IF_ERROR(endRecording());
  Queue &queue = queues[toHost];
  std::vector<GraphNode> before = dependencies();
  if (!queue.nodes.empty() && queue.nodes.back() &&
      std::find(before.begin(), before.end(), queue.nodes.back()) == before.end())
    before.push_back(queue.nodes.back());
  ADJ_RETURN_IF_ERROR(api.check(api.captureBegin(stream, kCaptureRelaxed), "cuStreamBeginCapture"));
  if (Status status = copy(stream); !status) {
    GraphHandle piece = nullptr;
    if (api.captureEnd(stream, &piece) == kSuccess && piece)
      api.graphDestroy(piece);
    return status;
  }
  GraphNode node = nullptr;
  ADJ_RETURN_IF_ERROR(addPiece(stream, before, node));
  queue.nodes.push_back(node);
  return {};
}

void StreamGraph::addEmptyTransfer(bool toHost) {
  Queue &queue = queues[toHost];
  queue.nodes.push_back(queue.nodes.empty() ? nullptr : queue.nodes.back());
}

Status StreamGraph::await(bool toHost, std::uint64_t behind) {
  Queue &queue = queues[toHost];
  if (queue.nodes.size() <= behind + queue.awaited)
    return {};
  const GraphNode before = queue.awaited ? queue.nodes[queue.awaited - 1] : nullptr;
  queue.awaited = queue.nodes.size() - behind;
  const GraphNode node = queue.nodes[queue.awaited - 1];
  if (!node || node == before)
    return {};
  ADJ_RETURN_IF_ERROR(endRecording());
  awaited.push_back(node);
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
