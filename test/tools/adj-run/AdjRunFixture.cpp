#include "AdjRunFixture.h"

using namespace adjrt;
using namespace adjrun::test;

namespace {
std::unique_ptr<fb::AttributeT> attribute(std::string name, std::string text, std::int64_t integer = 0) {
  auto attribute = std::make_unique<fb::AttributeT>();
  attribute->name = std::move(name);
  attribute->text = std::move(text);
  attribute->integer = integer;
  return attribute;
}

std::unique_ptr<fb::NodeT> node(std::string op, std::vector<std::int32_t> operands, std::int32_t result,
                                std::unique_ptr<fb::AttributeT> attribute = nullptr) {
  auto node = std::make_unique<fb::NodeT>();
  node->op = std::move(op);
  node->operands = std::move(operands);
  node->results = {result};
  node->location = "tiny.mlir:1:1";
  if (attribute)
    node->attributes.push_back(std::move(attribute));
  return node;
}

void addParameter(fb::ModuleT &module, std::string name, std::vector<std::int64_t> shape) {
  auto parameter = std::make_unique<fb::ParameterT>();
  parameter->name = std::move(name);
  parameter->dtype = fb::DType::f32;
  parameter->offset = module.plan->parameter_bytes;
  parameter->initializer = std::make_unique<fb::InitializerT>();
  parameter->initializer->kind = "normal";
  parameter->initializer->b = 0.5;
  std::uint64_t bytes = 4;
  for (std::int64_t extent : shape)
    bytes *= static_cast<std::uint64_t>(extent);
  parameter->shape = std::move(shape);
  module.parameters.push_back(std::move(parameter));
  module.plan->parameter_bytes += (bytes + 63) / 64 * 64;
}
} // namespace

std::string AdjRun::module(const TinyModel &model) const {
  constexpr std::int64_t kChannels = 3;
  fb::ModuleT module = adjrt::test::minimalModule();
  module.target->name = model.target;
  module.plan->vocabulary = model.vocabulary;
  module.plan->batch = model.batch;
  addParameter(module, "backbone.embeddings.weight", {model.vocabulary, kChannels});
  if (!model.tied)
    addParameter(module, "lm_head.weight", {model.vocabulary, kChannels});
  // Values: 0 tokens, 1 targets, 2 table, 3 head, 4 embedded, 5 loss.
  module.model->name = "tiny";
  module.model->values.clear();
  for (const std::vector<std::int64_t> &shape : std::vector<std::vector<std::int64_t>>{
           {-1, -1}, {-1, -1}, {model.vocabulary, kChannels}, {model.vocabulary, kChannels}, {-1, -1, kChannels}, {}}) {
    auto value = std::make_unique<fb::ValueTypeT>();
    value->dtype = module.model->values.size() < 2 ? fb::DType::i32 : fb::DType::f32;
    value->shape = shape;
    module.model->values.push_back(std::move(value));
  }
  fb::GraphT &graph = *module.model->graph;
  graph.nodes.clear();
  graph.nodes.push_back(node("ssm.parameter", {}, 2, attribute("name", "backbone.embeddings.weight")));
  graph.nodes.push_back(
      node("ssm.parameter", {}, 3, attribute("name", model.tied ? "backbone.embeddings.weight" : "lm_head.weight")));
  graph.nodes.push_back(node("ssm.embedding", {0, 2}, 4));
  graph.nodes.push_back(node("ssm.lm_loss", {4, 3, 1}, 5, attribute("has_bias", "", 0)));
  graph.results = {5};
  if (model.moving) {
    module.plan->boundaries = "host";
    module.plan->fixed_bytes = 1024;
    module.plan->host_bytes = 128;
    fb::ProgramT &program = *module.programs[1];
    program.buffers.push_back(
        std::make_unique<fb::BufferT>(adjrt::test::buffer("x", fb::BufferKind::arena, 512, 64, 64, 2)));
    program.buffers.push_back(
        std::make_unique<fb::BufferT>(adjrt::test::buffer("h", fb::BufferKind::host, 0, 64, 64, 2)));
    adjrt::test::addBlock(program, 2);
    adjrt::test::addCommand(program, adjrt::test::fill(adjrt::test::ref(0), adjrt::test::fixed(64)),
                            "fill at spec.mlir:3:1");
    adjrt::test::addCommand(program,
                            adjrt::test::toHost(adjrt::test::ref(0), adjrt::test::ref(1), adjrt::test::fixed(1), 64),
                            "save at spec.mlir:4:1");
    adjrt::test::addBlock(program);
    adjrt::test::addCommand(program, adjrt::test::awaitToHost());
  }
  return writeBytes("tiny.adjm", adjrt::test::fileImage(std::move(module)));
}

std::string AdjRun::tokens(std::vector<std::int32_t> values, const std::string &name) const {
  Status status = writeNpy(path(name), std::vector<std::int64_t>{static_cast<std::int64_t>(values.size())},
                           std::span<const std::int32_t>(values));
  EXPECT_TRUE(status);
  return path(name);
}

std::string AdjRun::params(const std::string &module) const {
  Outcome outcome = run({"init", module, "--seed", "3", "--out", path("p.safetensors")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return path("p.safetensors");
}

std::vector<float> AdjRun::readTensor(const std::string &file, const std::string &tensor, std::size_t count) {
  std::vector<float> values(count);
  auto source = ParameterSource::open(file);
  EXPECT_TRUE(source) << source.error().message;
  if (source) {
    Status status = source->read(tensor, values);
    EXPECT_TRUE(status) << status.error().message;
  }
  return values;
}
