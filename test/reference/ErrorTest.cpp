// Every message of the reference device that a user or a damaged file can provoke.
#include "MlpModel.h"
#include "ScanModels.h"

#include <gtest/gtest.h>

#include <limits>

using namespace adjrt;
using namespace adjrt::reference;
using namespace adjrt::reference::test;

namespace {

constexpr auto kNan = std::numeric_limits<double>::quiet_NaN();

template <typename T> std::string errorOf(const Expected<T> &expected, ErrorKind kind = ErrorKind::InvalidInput) {
  if (expected)
    return "no error";
  EXPECT_EQ(expected.error().kind, kind);
  return expected.error().message;
}

void expectContains(const std::string &message, const std::string &part) {
  EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' lacks '" << part << "'";
}

/// The error of create after `change` of a good model; `change` gets the layers' nodes too.
void expectCreateFails(const std::function<void(ModelBuilder &, fb::GraphT &body)> &change, const std::string &part,
                       bool general = false) {
  MambaShape shape;
  shape.general = general;
  ModelBuilder builder = mamba(shape);
  fb::GraphT *body = nullptr;
  for (auto &node : builder.model.graph->nodes)
    if (node->op == "ssm.repeat")
      body = node->regions[0].get();
  change(builder, *body);
  expectContains(errorOf(builder.build()), part);
}

fb::NodeT &find(fb::GraphT &graph, const std::string &op) {
  for (auto &node : graph.nodes)
    if (node->op == op)
      return *node;
  throw std::runtime_error(op);
}

void removeAttribute(fb::NodeT &node, const std::string &name) {
  std::erase_if(node.attributes, [&](const auto &attribute) { return attribute->name == name; });
}

fb::AttributeT &attribute(fb::NodeT &node, const std::string &name) {
  for (auto &attribute : node.attributes)
    if (attribute->name == name)
      return *attribute;
  throw std::runtime_error(name);
}

TEST(CreateError, UnknownOpIsNamedWithItsLocation) {
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").op = "ssm.attention"; },
                    "op 'ssm.attention' at spec.mlir:");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").op = "ssm.attention"; },
                    "the reference device doesn't know this op");
  expectCreateFails(
      [](auto &m, auto &) {
        m.model.name = "mine";
        m.model.graph->results = {0};
      },
      "model 'mine'");
}

TEST(CreateError, Graph) {
  expectCreateFails([](auto &m, auto &) { m.model.graph->arguments.pop_back(); }, "has 1 arguments and 1 results");
  expectCreateFails([](auto &m, auto &) { m.model.graph->results = {0}; }, "is not that of ssm.lm_loss");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").operands = {100000}; },
                    "value 100000 is not one of");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").operands = {-7}; }, "value -7 is not one of");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").results = {2}; }, "value 2 is defined twice");
  expectCreateFails(
      [](auto &, auto &body) {
        auto &n = find(body, "ssm.silu");
        n.operands = n.results;
      },
      "is used where it is not defined");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").operands.push_back(2); },
                    "has 2 operands, expected 1 to 1");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").results.clear(); }, "has 0 results, expected 1");
  expectCreateFails([](auto &, auto &body) { find(body, "ssm.silu").operands = {0}; },
                    "must not be the tokens or targets");
  expectCreateFails([](auto &m, auto &) { find(*m.model.graph, "ssm.embedding").operands[0] = 2; },
                    "must be the tokens");
  expectCreateFails([](auto &m, auto &) { find(*m.model.graph, "ssm.lm_loss").operands.back() = 2; },
                    "must be the targets");
}

// A body's value is gone after the repeat, which may run zero times.
TEST(CreateError, BodyValueUsedOutside) {
  expectCreateFails([](auto &m, auto &body) { find(*m.model.graph, "ssm.rms_norm").operands[0] = body.results[0]; },
                    "is used where it is not defined");
}

TEST(CreateError, Repeat) {
  expectCreateFails([](auto &m, auto &) { removeAttribute(find(*m.model.graph, "ssm.repeat"), "count"); },
                    "attribute 'count' is missing");
  expectCreateFails([](auto &m, auto &) { attribute(find(*m.model.graph, "ssm.repeat"), "count").integer = -1; },
                    "attribute 'count' is -1");
  expectCreateFails([](auto &m, auto &) { find(*m.model.graph, "ssm.repeat").regions.clear(); }, "needs one region");
  expectCreateFails([](auto &, auto &body) { body.results = {1}; }, "loop-carried values must not be");
  expectCreateFails([](auto &m, auto &) { find(*m.model.graph, "ssm.repeat").operands = {0}; },
                    "loop-carried values must not be");
}

TEST(CreateError, Parameters) {
  expectCreateFails([](auto &m, auto &) { m.parameters.pop_back(); },
                    "the module lists no parameter 'backbone.norm_f.weight'");
  expectCreateFails([](auto &m, auto &) { attribute(find(*m.model.graph, "ssm.repeat"), "count").integer = 3; },
                    "no parameter 'backbone.layers.2.norm.weight'");
  expectCreateFails([](auto &m, auto &) { m.parameters[0].shape = {0, 4}; }, "has shape (0, 4)");
}

TEST(CreateError, Attributes) {
  for (auto [op, name] : {std::pair{"ssm.rms_norm", "eps"},
                          {"ssm.split", "sizes"},
                          {"ssm.selective_scan", "operand_segments"},
                          {"ssm.parameter", "name"}})
    expectCreateFails([&](auto &, auto &body) { removeAttribute(find(body, op), name); },
                      std::string("attribute '") + name + "' is missing");
  expectCreateFails([](auto &m, auto &) { removeAttribute(find(*m.model.graph, "ssm.lm_loss"), "has_bias"); },
                    "attribute 'has_bias' is missing");
  expectCreateFails([](auto &m, auto &) { attribute(find(*m.model.graph, "ssm.lm_loss"), "has_bias").integer = 1; },
                    "attribute 'has_bias' doesn't fit");
  expectCreateFails([](auto &, auto &body) { attribute(find(body, "ssm.split"), "sizes").integers = {20}; },
                    "has 2 results but 1 sizes");
  expectCreateFails([](auto &, auto &body) { attribute(find(body, "ssm.split"), "sizes").integers = {20, 0}; },
                    "'sizes' must be positive");
  expectCreateFails(
      [](auto &, auto &body) { attribute(find(body, "ssm.selective_scan"), "operand_segments").integers[5] = 0; },
      "'operand_segments' doesn't fit");
}

TEST(CreateError, Mlp) {
  auto fails = [](const std::function<void(fb::NodeT &)> &change, const std::string &part) {
    ModelBuilder builder = mlpModel({.biased = true});
    change(find(*builder.model.graph, "ssm.mlp"));
    expectContains(errorOf(builder.build()), part);
  };
  for (std::string name : {"activation", "operand_segments"})
    fails([&](auto &n) { removeAttribute(n, name); }, "attribute '" + name + "' is missing");
  fails([](auto &n) { attribute(n, "activation").text = "swish"; },
        "attribute 'activation' is 'swish', which the reference device doesn't know");
  const std::string segments = "attribute 'operand_segments' doesn't fit the operands";
  fails([](auto &n) { attribute(n, "operand_segments").integers.pop_back(); }, segments);
  fails([](auto &n) { attribute(n, "operand_segments").integers[6] = 0; }, segments);
  fails([](auto &n) { attribute(n, "operand_segments").integers[6] = 2; }, segments);
  fails(
      [](auto &n) { // a bias of the gate without a gate
        attribute(n, "operand_segments").integers[1] = 0;
        n.operands.pop_back();
      },
      segments);
  fails([](auto &n) { n.operands.resize(2); }, "has 2 operands, expected 3 to 7");
  fails([](auto &n) { n.results.push_back(n.results[0]); }, "has 2 results, expected 1");
}

TEST(CreateError, Scan) {
  auto fails = [](const std::function<void(fb::NodeT &)> &change, const std::string &part) {
    expectCreateFails([&](auto &, auto &body) { change(find(body, "ssm.scan")); }, part, true);
  };
  fails([](auto &n) { removeAttribute(n, "maps"); }, "attribute 'maps' is missing");
  fails([](auto &n) { attribute(n, "sizes").integers.pop_back(); }, "must be of one length");
  fails([](auto &n) { attribute(n, "sizes").integers[2] = 0; }, "dimension 2 has size 0");
  fails([](auto &n) { attribute(n, "sizes").integers[2] = 1 << 25; }, "2^24");
  fails([](auto &n) { attribute(n, "state").integers = {1}; }, "attribute 'state' names dimension 1");
  fails([](auto &n) { attribute(n, "maps").texts[0] = "0,1,7"; }, "'0,1,7' is not a list");
  fails([](auto &n) { attribute(n, "maps").texts[0] = "0,1,"; }, "'0,1,' is not a list");
  fails([](auto &n) { attribute(n, "maps").texts[0] = "1,1"; }, "'1,1' is not a list");
  fails([](auto &n) { attribute(n, "maps").texts.back() = "0,2"; }, "must vary over batch and tokens");
  fails([](auto &n) { attribute(n, "maps").texts.back() = "0,1,3"; }, "varies over a dimension that its map lacks");
  fails([](auto &n) { attribute(n, "inputs").integer = 7; }, "don't fit the 8 operands");
  fails([](auto &n) { n.regions.pop_back(); }, "needs two regions");
  fails([](auto &n) { n.regions[0]->arguments.pop_back(); }, "step region: a region has 8 arguments, expected 9");
  fails([](auto &n) { n.regions[1]->results.clear(); }, "one value per output");
  fails([](auto &n) { n.regions[0]->results[0] = 1; }, "a region yields value 1, which it doesn't define");
  fails([](auto &n) { n.regions[0]->nodes.back()->op = "math.sinh"; }, "step region: op 'math.sinh' at spec.mlir:");
  fails([](auto &n) { n.regions[0]->nodes.back()->operands.pop_back(); }, "has 1 operands, expected 2");
  fails([](auto &n) { n.regions[0]->nodes.back()->operands[0] = 1; }, "which its region doesn't define");
  fails([](auto &n) { n.regions[0]->nodes.back()->op = "complex.mul"; }, "operand 0 must be complex");
  fails([](auto &n) { n.regions[0]->nodes.back()->op = "arith.cmpf"; }, "attribute 'predicate' is missing");
  fails([](auto &n) { attribute(find(*n.regions[1], "ssm.sum"), "dims").integers = {1}; }, "sums over dimension 1");
  fails([](auto &n) { find(*n.regions[0], "arith.constant").attributes.clear(); }, "attribute 'value' is missing");
  fails([](auto &n) { n.regions[0]->nodes.back()->results.clear(); }, "must have one result");
  fails([](auto &n) { attribute(n, "state").integers = {2}; }, "must vary over dimensions of the state only");
}

struct Call {
  MambaShape shape;
  ModelBuilder builder = mamba(shape);
  Expected<ReferenceModel> model = builder.build();
  NamedTensors parameters = randomParameters(builder.parameters, 3);
  RandomBatch data{2, 5, 11, true, 7};

  std::string error(ErrorKind kind = ErrorKind::InvalidInput) const {
    std::string fromLoss = errorOf(model->loss(parameters, data.batch), kind);
    EXPECT_EQ(errorOf(model->valueAndGrad(parameters, data.batch), kind), fromLoss);
    return fromLoss;
  }
};

TEST(CallError, Parameters) {
  Call missing, extra, misshaped, damaged;
  missing.parameters.erase("backbone.norm_f.weight");
  expectContains(missing.error(), "parameter 'backbone.norm_f.weight' is missing");
  extra.parameters["other"] = Tensor({1});
  expectContains(extra.error(), "the model has no parameter 'other'");
  misshaped.parameters["backbone.norm_f.weight"] = Tensor({7});
  expectContains(misshaped.error(), "'backbone.norm_f.weight' has shape (7), expected (6)");
  damaged.parameters["backbone.norm_f.weight"].values.pop_back();
  expectContains(damaged.error(), "'backbone.norm_f.weight' has 5 values");
}

TEST(CallError, Batch) {
  Call empty, sizes, token, target, uncounted;
  empty.data.batch.tokens = 0;
  expectContains(empty.error(), "is empty");
  sizes.data.batch.tokens = 4;
  expectContains(sizes.error(), "expected 8");
  token.data.inputs[7] = 11;
  expectContains(token.error(), "token 11 at position 2 of sequence 1 is outside the vocabulary 0 .. 10");
  target.data.targets[3] = -1;
  expectContains(target.error(), "target -1 at position 3 of sequence 0 is outside the vocabulary 0 .. 10");
  std::fill(uncounted.data.targets.begin(), uncounted.data.targets.end(), -100);
  expectContains(uncounted.error(), "no target is counted");
}

TEST(CallError, States) {
  Call few, misshaped;
  std::vector<Tensor> states = {Tensor({2, 3, 10})};
  few.data.batch.initialStates = states;
  expectContains(few.error(), "the call gives 1 initial states, the model has more");
  std::vector<Tensor> wrong(4, Tensor({1}));
  misshaped.data.batch.initialStates = wrong;
  expectContains(misshaped.error(), "the initial state has shape (1), expected (2, 3, 10)");
}

TEST(CallError, LossThatIsNotFiniteNamesTheFirstToken) {
  Call call;
  // Token 4 appears first at position 3 of sequence 1; nothing before it sees its row.
  call.data.inputs = {1, 2, 3, 1, 4, 2, 3, 1, 4, 2};
  call.data.targets.assign(10, 0);
  call.data.batch.inputs = call.data.inputs;
  call.data.batch.targets = call.data.targets;
  call.builder = mamba(call.shape = [] {
    MambaShape shape;
    shape.tied = false;
    return shape;
  }());
  call.model = call.builder.build();
  call.parameters = randomParameters(call.builder.parameters, 3);
  call.parameters.at("backbone.embeddings.weight").values[4 * call.shape.hidden] = kNan;
  std::string message = call.error(ErrorKind::Failed);
  expectContains(message, "op 'ssm.lm_loss' at spec.mlir:");
  expectContains(message, "the loss is not finite, first at token 3 of sequence 1");
}

/// The error of a call on a model of which one parameter has another shape than its ops want.
void expectShapeError(ModelBuilder builder, const std::string &parameter, std::vector<std::int64_t> shape,
                      const std::string &part) {
  for (ParameterSpec &spec : builder.parameters)
    if (spec.name == parameter)
      spec.shape = shape;
  auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  RandomBatch data(2, 5, 11, false, 7);
  expectContains(errorOf(model->loss(randomParameters(builder.parameters, 3), data.batch)), part);
}

void expectShapeError(const std::string &parameter, std::vector<std::int64_t> shape, const std::string &part,
                      bool general = false) {
  MambaShape dimensions;
  dimensions.general = general;
  expectShapeError(mamba(dimensions), parameter, std::move(shape), part);
}

TEST(CallError, ShapesOfAnMlp) {
  for (auto [parameter, shape, part] :
       {std::tuple{"up", std::vector<std::int64_t>{13}, "x has shape (2, 5, 5) and up (13)"},
        {"up", {13, 6}, "up has shape (13, 6), expected (13, 5)"},
        {"gate", {12, 5}, "gate has shape (12, 5), expected (13, 5)"},
        {"gate_bias", {5}, "the bias of gate has shape (5), expected (13)"},
        {"up_bias", {5}, "the bias of up has shape (5), expected (13)"},
        {"down", {13, 5}, "down has shape (13, 5), expected (5, 13)"},
        {"down_bias", {13}, "the bias of down has shape (13), expected (5)"}}) {
    expectShapeError(mlpModel({.biased = true}), parameter, shape, part);
  }
}

/// A model whose only layer reshapes (batch, tokens, 4) to `sizes`.
ModelBuilder reshapeTo(const std::vector<std::int64_t> &sizes) {
  return languageModel(4, [&](ModelBuilder &m, int x) {
    int y = m.op("ssm.reshape", {x}, {Attr::ofIntegers("sizes", sizes)});
    return m.op("ssm.reshape", {y}, {Attr::ofIntegers("sizes", {4})});
  });
}

TEST(CallError, ReshapeToAnotherSize) {
  expectContains(errorOf(reshapeTo({2, 0}).build()), "'sizes' must be positive");
  ModelBuilder builder = reshapeTo({2, 3});
  auto model = builder.build();
  ASSERT_TRUE(model) << model.error().message;
  RandomBatch data(2, 5, 11, false, 7);
  expectContains(errorOf(model->loss(randomParameters(builder.parameters, 3), data.batch)),
                 "x has shape (2, 5, 4), which does not reshape to (2, 5, 2, 3)");
}

TEST(CallError, ShapesThatDontFitAreNamedWithTheLayer) {
  expectShapeError("backbone.embeddings.weight", {11}, "the table has shape (11)");
  expectShapeError("backbone.norm_f.weight", {5}, "op 'ssm.rms_norm' at spec.mlir:");
  expectShapeError("backbone.layers.1.norm.weight", {5}, "op 'ssm.rms_norm' (layer 1) at spec.mlir:");
  expectShapeError("backbone.layers.1.norm.weight", {5}, "the weight has shape (5), expected (6)");
  expectShapeError("backbone.layers.0.mixer.in_proj.weight", {20, 7}, "which doesn't fit x of shape (2, 5, 6)");
  expectShapeError("backbone.layers.0.mixer.in_proj.weight", {21, 6}, "the sizes add up to 20");
  expectShapeError("backbone.layers.0.mixer.conv1d.weight", {10, 2, 4}, "expected (10, 1, width)");
  expectShapeError("backbone.layers.0.mixer.conv1d.bias", {9}, "the bias has shape (9), expected (10)");
  expectShapeError("backbone.layers.0.mixer.A_log", {10, 4}, "B has shape (2, 5, 3), expected (2, 5, 4)");
  expectShapeError("backbone.layers.0.mixer.A_log", {10}, "A_log (10)");
  expectShapeError("backbone.layers.0.mixer.D", {9}, "D has shape (9), expected (10)");
  expectShapeError("backbone.layers.0.mixer.D", {9}, "input 5 has shape (9), expected (10)", true);
  expectShapeError("backbone.layers.1.mixer.out_proj.weight", {5, 10}, "the second operand has shape (2, 5, 5)");
}

} // namespace
