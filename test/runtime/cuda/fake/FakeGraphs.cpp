// The fake's graphs, captured or built node by node.
#include "FakeState.h"

#include <algorithm>
#include <memory>
#include <utility>

using namespace adjrt::test::fake;

namespace {

/// A node is one piece of work, or a kernel with arguments of its own.
struct FakeNode {
  std::vector<std::function<void()>> work;
  std::function<void()> kernel;
  bool other = false; ///< captured from another stream than the first
  std::vector<std::size_t> before = {};
};
struct FakeGraph {
  std::vector<std::pair<GraphNode, FakeNode>> nodes;

  void run() {
    std::vector<bool> done(nodes.size());
    const std::function<void(std::size_t)> one = [&](std::size_t i) {
      if (done[i])
        return;
      done[i] = true;
      FakeNode &node = nodes[i].second;
      for (std::size_t before : node.before)
        one(before);
      for (auto &work : node.work)
        work();
      if (node.kernel)
        node.kernel();
    };
    const auto ready = [&](std::size_t i) {
      const auto &before = nodes[i].second.before;
      return std::all_of(before.begin(), before.end(), [&](std::size_t b) { return bool(done[b]); });
    };
    for (std::size_t next = 0; next < nodes.size(); ++next) {
      if (state.othersFirst)
        for (std::size_t i = 0; i < nodes.size(); ++i)
          if (nodes[i].second.other && ready(i))
            one(i);
      if (!nodes[next].second.other)
        one(next);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i)
      one(i);
  }
};

Result addNode(GraphNode *node, GraphHandle handle, const GraphNode *before, std::size_t count, FakeNode made) {
  FakeGraph &graph = *reinterpret_cast<FakeGraph *>(handle);
  for (std::size_t i = 0; i < count; ++i) {
    const auto place =
        std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](auto &n) { return n.first == before[i]; });
    if (place == graph.nodes.end() || std::count(before, before + count, before[i]) != 1)
      return 1; // not of this graph, or named twice
    made.before.push_back(static_cast<std::size_t>(place - graph.nodes.begin()));
  }
  static std::uintptr_t next = 0;
  *node = reinterpret_cast<GraphNode>(++next);
  graph.nodes.emplace_back(*node, std::move(made));
  return kSuccess;
}

} // namespace

extern "C" {

Result cuStreamBeginCapture_v2(Stream stream, int mode) {
  ENTER("cuStreamBeginCapture");
  if (state.capture || mode != kCaptureRelaxed)
    return 1;
  state.capture = new std::vector<std::function<void()>>;
  state.captured = stream;
  return kSuccess;
}
Result cuStreamEndCapture(Stream stream, GraphHandle *graph) {
  state.captured = nullptr;
  const std::unique_ptr<std::vector<std::function<void()>>> captured(std::exchange(state.capture, nullptr));
  ENTER("cuStreamEndCapture");
  if (!captured)
    return 1;
  auto *made = new FakeGraph;
  GraphNode node = nullptr;
  ++state.graphs;
  *graph = reinterpret_cast<GraphHandle>(made);
  return addNode(&node, *graph, nullptr, 0,
                 {std::move(*captured), {}, reinterpret_cast<FakeStream *>(stream) != streams.front()});
}
Result cuGraphCreate(GraphHandle *graph, unsigned) {
  ENTER("cuGraphCreate");
  *graph = reinterpret_cast<GraphHandle>(new FakeGraph);
  ++state.graphs;
  return kSuccess;
}
Result cuGraphDestroy(GraphHandle graph) {
  delete reinterpret_cast<FakeGraph *>(graph);
  --state.graphs;
  return kSuccess;
}
Result cuGraphAddKernelNode_v2(GraphNode *node, GraphHandle graph, const GraphNode *before, std::size_t count,
                               const KernelLaunch *launch) {
  ENTER("cuGraphAddKernelNode");
  return addNode(node, graph, before, count, {{}, kernelOf(*launch)});
}
Result cuGraphAddChildGraphNode(GraphNode *node, GraphHandle graph, const GraphNode *before, std::size_t count,
                                GraphHandle child) {
  ENTER("cuGraphAddChildGraphNode");
  FakeNode made;
  for (auto &[key, piece] : reinterpret_cast<FakeGraph *>(child)->nodes) {
    made.work.insert(made.work.end(), piece.work.begin(), piece.work.end());
    made.other = piece.other;
  }
  return addNode(node, graph, before, count, std::move(made));
}
Result cuGraphInstantiateWithFlags(GraphExecHandle *ready, GraphHandle graph, unsigned long long) {
  ENTER("cuGraphInstantiate");
  *ready = reinterpret_cast<GraphExecHandle>(new FakeGraph(*reinterpret_cast<FakeGraph *>(graph)));
  ++state.readyGraphs;
  return kSuccess;
}
Result cuGraphExecKernelNodeSetParams_v2(GraphExecHandle ready, GraphNode node, const KernelLaunch *launch) {
  ENTER("cuGraphExecKernelNodeSetParams");
  for (auto &[key, piece] : reinterpret_cast<FakeGraph *>(ready)->nodes)
    if (key == node && piece.kernel) {
      piece.kernel = kernelOf(*launch);
      return kSuccess;
    }
  return 1;
}
Result cuGraphLaunch(GraphExecHandle ready, Stream stream) {
  ENTER("cuGraphLaunch");
  if (state.capture)
    return 900;
  putWork(stream, [graph = *reinterpret_cast<FakeGraph *>(ready)]() mutable { graph.run(); });
  return kSuccess;
}
Result cuGraphExecDestroy(GraphExecHandle ready) {
  delete reinterpret_cast<FakeGraph *>(ready);
  --state.readyGraphs;
  return kSuccess;
}

} // extern "C"
