#include "Verify.h"

#include <algorithm>
#include <vector>

namespace adjrt::verify {
namespace {

class GraphVerifier {
public:
  explicit GraphVerifier(std::uint32_t values) : defined(values, false), visible(values, false) {}

  /// `isolated`: the graph's nodes see nothing of the graphs around it.
  Status graph(const fb::Graph &graph, const std::string &place, bool isolated) {
    std::vector<bool> outside = visible;
    if (isolated)
      std::fill(visible.begin(), visible.end(), false);
    for (std::int32_t value : Items(graph.arguments()))
      ADJ_RETURN_IF_ERROR(define(value, place + ", arguments"));
    std::uint32_t index = 0;
    for (const fb::Node *item : Items(graph.nodes())) {
      const std::string location =
          item->location() && item->location()->size() ? " (" + item->location()->str() + ")" : "";
      ADJ_RETURN_IF_ERROR(
          node(*item, place + ", node " + std::to_string(index++) + " " + item->op()->str() + location));
    }
    for (std::int32_t value : Items(graph.results()))
      ADJ_RETURN_IF_ERROR(use(value, place + ", results"));
    visible.swap(outside);
    return {};
  }

private:
  Status node(const fb::Node &node, const std::string &place) {
    if (node.op()->size() == 0)
      return invalidInput(place + ": has no op");
    for (std::int32_t value : Items(node.operands()))
      ADJ_RETURN_IF_ERROR(use(value, place));
    std::uint32_t region = 0;
    for (const fb::Graph *nested : Items(node.regions()))
      ADJ_RETURN_IF_ERROR(
          graph(*nested, place + ", region " + std::to_string(region++), node.op()->string_view() == "ssm.scan"));
    for (std::int32_t value : Items(node.results()))
      ADJ_RETURN_IF_ERROR(define(value, place));
    return {};
  }

  Status inRange(std::int32_t value, const std::string &place) const {
    if (value < 0 || static_cast<std::size_t>(value) >= defined.size())
      return invalidInput(place + ": value " + std::to_string(value) + " of " + std::to_string(defined.size()));
    return {};
  }

  Status define(std::int32_t value, const std::string &place) {
    ADJ_RETURN_IF_ERROR(inRange(value, place));
    const auto index = static_cast<std::size_t>(value);
    if (defined[index])
      return invalidInput(place + ": value " + std::to_string(value) + " is defined twice");
    defined[index] = visible[index] = true;
    return {};
  }

  Status use(std::int32_t value, const std::string &place) const {
    ADJ_RETURN_IF_ERROR(inRange(value, place));
    if (!visible[static_cast<std::size_t>(value)])
      return invalidInput(place + ": value " + std::to_string(value) +
                          " is used where it is not defined or not visible");
    return {};
  }

  std::vector<bool> defined; ///< anywhere until now
  std::vector<bool> visible; ///< from here
};

} // namespace

Status model(const fb::Model &model) {
  std::uint32_t index = 0;
  for (const fb::ValueType *type : Items(model.values())) {
    bool valid = type->dtype() >= fb::DType::MIN && type->dtype() <= fb::DType::MAX;
    for (std::int64_t extent : Items(type->shape()))
      valid = valid && (extent == -1 || extent >= 1);
    if (!valid)
      return invalidInput("model: value " + std::to_string(index) + ": unknown dtype or invalid shape");
    ++index;
  }
  const std::uint32_t arguments = Items(model.graph()->arguments()).size(),
                      results = Items(model.graph()->results()).size();
  if (arguments != 2 || results != 1)
    return invalidInput("model: the graph has " + std::to_string(arguments) + " arguments and " +
                        std::to_string(results) + " results; it must take tokens and targets and return the loss");
  return GraphVerifier(Items(model.values()).size()).graph(*model.graph(), "model", true);
}

} // namespace adjrt::verify
