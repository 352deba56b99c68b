#include "ModelBuilder.h"

#include <algorithm>

namespace adjrt::reference::test {

ModelBuilder::ModelBuilder() {
  model.name = "test";
  model.graph = std::make_unique<fb::GraphT>();
  graph = model.graph.get();
  graph->arguments = {value(fb::DType::i32), value(fb::DType::i32)};
}

int ModelBuilder::value(fb::DType dtype) {
  model.values.push_back(std::make_unique<fb::ValueTypeT>());
  model.values.back()->dtype = dtype;
  return static_cast<int>(model.values.size()) - 1;
}

std::vector<int> ModelBuilder::node(const std::string &op, std::vector<int> operands, std::vector<Attr> attributes,
                                    std::size_t results, fb::DType dtype) {
  auto node = std::make_unique<fb::NodeT>();
  node->op = op;
  node->operands = std::move(operands);
  for (Attr &attribute : attributes) {
    auto out = std::make_unique<fb::AttributeT>();
    out->name = attribute.name;
    out->integer = attribute.integer.value_or(0);
    out->real = attribute.real.value_or(0);
    out->text = attribute.text;
    out->integers = attribute.integers;
    out->texts = attribute.texts;
    node->attributes.push_back(std::move(out));
  }
  for (std::size_t i = 0; i < results; ++i)
    node->results.push_back(value(dtype));
  node->location = "spec.mlir:" + std::to_string(graph->nodes.size() + 1) + ":1";
  graph->nodes.push_back(std::move(node));
  return graph->nodes.back()->results;
}

int ModelBuilder::parameter(const std::string &name, std::vector<std::int64_t> shape) {
  std::size_t placeholder = name.find("{layer}");
  for (std::int64_t layer = 0; layer < (placeholder == std::string::npos ? 1 : layers); ++layer) {
    std::string full = name;
    if (placeholder != std::string::npos)
      full.replace(placeholder, 7, std::to_string(layer));
    if (std::none_of(parameters.begin(), parameters.end(), [&](const auto &p) { return p.name == full; }))
      parameters.push_back({full, shape});
  }
  return op("ssm.parameter", {}, {Attr::ofText("name", name)});
}

int ModelBuilder::repeat(std::int64_t count, int initial, const std::function<int(int)> &body) {
  int result = op("ssm.repeat", {initial}, {Attr::ofInteger("count", count)});
  layers = count;
  region(1, [&](const std::vector<int> &arguments) { return std::vector<int>{body(arguments[0])}; });
  layers = -1;
  return result;
}

void ModelBuilder::region(std::size_t arguments, const std::function<std::vector<int>(const std::vector<int> &)> &body,
                          const std::function<fb::DType(std::size_t)> &dtype) {
  fb::GraphT *outer = graph;
  fb::NodeT &node = *graph->nodes.back();
  node.regions.push_back(std::make_unique<fb::GraphT>());
  graph = node.regions.back().get();
  for (std::size_t i = 0; i < arguments; ++i)
    graph->arguments.push_back(value(dtype ? dtype(i) : fb::DType::f32));
  std::vector<int> results = body(graph->arguments);
  graph->results = std::move(results);
  graph = outer;
}

Expected<ReferenceModel> ModelBuilder::build() const {
  flatbuffers::FlatBufferBuilder buffer;
  buffer.Finish(fb::CreateModel(buffer, &model));
  return ReferenceModel::create(*flatbuffers::GetRoot<fb::Model>(buffer.GetBufferPointer()), parameters);
}

NamedTensors randomParameters(const std::vector<ParameterSpec> &parameters, std::uint64_t seed, double scale) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  NamedTensors out;
  for (const ParameterSpec &parameter : parameters) {
    Tensor tensor(parameter.shape);
    bool isNorm = parameter.name.find("norm") != std::string::npos;
    for (double &value : tensor.values)
      value = scale * normal(random) + (isNorm ? 1 : 0);
    out.emplace(parameter.name, std::move(tensor));
  }
  return out;
}

int generalSelectiveScan(ModelBuilder &m, std::vector<int> operands, std::int64_t channels, std::int64_t states) {
  int y = m.op("ssm.scan", std::move(operands),
               {Attr::ofTexts("dims", {"b", "t", "d", "n"}), Attr::ofIntegers("sizes", {-1, -1, channels, states}),
                Attr::ofIntegers("state", {2, 3}), Attr::ofInteger("inputs", 8),
                Attr::ofTexts("maps", {"0,1,2", "0,1,2", "2,3", "0,1,3", "0,1,3", "2", "0,1,2", "2", "0,1,2"})});
  m.region(9, [&](const std::vector<int> &in) { // x dt A_log B C D z dt_bias reset
    int zero = m.op("arith.constant", {}, {Attr::ofReal("value", 0)});
    int dt = m.op("arith.addf", {in[1], in[7]});
    // softplus, stable for either sign: max(dt, 0) + log1p(exp(-|dt|))
    int tail = m.op("math.log1p", {m.op("math.exp", {m.op("arith.negf", {m.op("math.absf", {dt})})})});
    int delta = m.op("arith.addf", {m.op("arith.maximumf", {dt, zero}), tail});
    int rate = m.op("arith.negf", {m.op("math.exp", {in[2]})});
    int a = m.op("math.exp", {m.op("arith.mulf", {delta, rate})});
    int u = m.op("arith.mulf", {m.op("arith.mulf", {delta, in[0]}), in[3]});
    return std::vector<int>{a, u};
  });
  m.region(10, [&](const std::vector<int> &in) { // x dt A_log B C D z dt_bias h reset
    int sum = m.op("ssm.sum", {m.op("arith.mulf", {in[4], in[8]})}, {Attr::ofIntegers("dims", {3})});
    int out = m.op("arith.addf", {sum, m.op("arith.mulf", {in[5], in[0]})});
    int one = m.op("arith.constant", {}, {Attr::ofReal("value", 1)});
    int denominator = m.op("arith.addf", {one, m.op("math.exp", {m.op("arith.negf", {in[6]})})});
    return std::vector<int>{m.op("arith.mulf", {out, m.op("arith.divf", {in[6], denominator})})};
  });
  return y;
}

ModelBuilder mamba(const MambaShape &s) {
  ModelBuilder m;
  int table = m.parameter("backbone.embeddings.weight", {s.vocabulary, s.hidden});
  int x = m.op("ssm.embedding", {m.tokens(), table});
  x = m.repeat(s.layers, x, [&](int residual) {
    auto parameter = [&](const std::string &name, std::vector<std::int64_t> shape) {
      return m.parameter("backbone.layers.{layer}." + name, std::move(shape));
    };
    auto linear = [&](int in, const std::string &name, std::int64_t outs, std::int64_t ins, bool bias) {
      std::vector<int> operands = {in, parameter(name + ".weight", {outs, ins})};
      if (bias)
        operands.push_back(parameter(name + ".bias", {outs}));
      return m.op("ssm.linear", operands);
    };
    int normed = m.op("ssm.rms_norm", {residual, parameter("norm.weight", {s.hidden})}, {Attr::ofReal("eps", 1e-5)});
    int projected = linear(normed, "mixer.in_proj", 2 * s.inner, s.hidden, s.linearBias);
    auto halves = m.node("ssm.split", {projected}, {Attr::ofIntegers("sizes", {s.inner, s.inner})}, 2);
    std::vector<int> convolution = {halves[0], parameter("mixer.conv1d.weight", {s.inner, 1, s.width})};
    if (s.convolutionBias)
      convolution.push_back(parameter("mixer.conv1d.bias", {s.inner}));
    int u = m.op("ssm.silu", {m.op("ssm.conv1d", convolution)});
    int low = linear(u, "mixer.x_proj", s.rank + 2 * s.state, s.inner, false);
    auto parts = m.node("ssm.split", {low}, {Attr::ofIntegers("sizes", {s.rank, s.state, s.state})}, 3);
    // The bias of dt_proj goes into the scan, before the softplus.
    int dt = linear(parts[0], "mixer.dt_proj", s.inner, s.rank, false);
    std::vector<int> operands = {u,
                                 dt,
                                 parameter("mixer.A_log", {s.inner, s.state}),
                                 parts[1],
                                 parts[2],
                                 parameter("mixer.D", {s.inner}),
                                 halves[1],
                                 parameter("mixer.dt_proj.bias", {s.inner})};
    int y = s.general ? generalSelectiveScan(m, operands, s.inner, s.state)
                      : m.op("ssm.selective_scan", operands,
                             {Attr::ofIntegers("operand_segments", {1, 1, 1, 1, 1, 1, 1, 1})});
    return m.op("ssm.residual", {residual, linear(y, "mixer.out_proj", s.hidden, s.inner, s.linearBias)});
  });
  x = m.op("ssm.rms_norm", {x, m.parameter("backbone.norm_f.weight", {s.hidden})}, {Attr::ofReal("eps", 1e-5)});
  std::vector<int> head = {x, s.tied ? table : m.parameter("lm_head.weight", {s.vocabulary, s.hidden})};
  if (s.headBias)
    head.push_back(m.parameter("lm_head.bias", {s.vocabulary}));
  head.push_back(m.targets());
  m.setResult(m.op("ssm.lm_loss", head, {Attr::ofInteger("has_bias", s.headBias)}));
  return m;
}

RandomBatch::RandomBatch(std::int64_t sequences, std::int64_t tokens, std::int64_t vocabulary, bool withResets,
                         std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::int64_t row = 0; row < sequences * tokens; ++row) {
    inputs.push_back(static_cast<std::int32_t>(random() % vocabulary));
    targets.push_back(random() % 5 || row == 0 ? static_cast<std::int32_t>(random() % vocabulary) : -100);
    if (withResets)
      resets.push_back(random() % 3 == 0);
  }
  batch.batch = sequences;
  batch.tokens = tokens;
  batch.inputs = inputs;
  batch.targets = targets;
  batch.resets = resets;
}

} // namespace adjrt::reference::test
