//===- ModelExporterTest.cpp - what the exporter writes is what the reference device reads ------------------------===//
#include "adjc/Module/ModelExporter.h"
#include "adjc/InitAll.h"
#include "adjc/Module/Parameters.h"

#include "adjm_generated.h"
#include "adjrt/reference/Reference.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

#include <random>

using namespace mlir;
using adjrt::reference::ReferenceModel;
namespace fb = adjrt::fb;

namespace {

/// A parsed spec, and the diagnostics that came while it was exported.
struct Spec {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string diagnostics;

  explicit Spec(StringRef text, bool isFile = false) {
    DialectRegistry registry;
    adjc::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { diagnostics += diagnostic.str() + "\n"; });
    module =
        isFile ? parseSourceFile<ModuleOp>(text, &context) : parseSourceString<ModuleOp>(text, &context, "spec.mlir");
  }
  ssm::ModelOp model() { return *module->getOps<ssm::ModelOp>().begin(); }

  adjrt::Expected<ReferenceModel> reference() {
    auto section = adjc::exportModel(model());
    if (failed(section))
      return adjrt::failed(diagnostics);
    std::vector<adjrt::reference::ParameterSpec> parameters;
    for (const adjc::ParameterInfo &parameter : adjc::collectParameters(model()))
      parameters.push_back({parameter.name, std::vector<int64_t>(parameter.type.getShape())});
    flatbuffers::FlatBufferBuilder buffer;
    buffer.Finish(fb::CreateModel(buffer, section->get()));
    return ReferenceModel::create(*flatbuffers::GetRoot<fb::Model>(buffer.GetBufferPointer()), parameters);
  }
};

/// A model of one layer on 3 channels and 2 states: `layer` makes %o from %x, a tensor<?x?x3xf32>.
std::string modelOf(const std::string &layer) {
  return R"(ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
    %table = ssm.parameter "table" <normal, 0.0, 1.0> : tensor<5x3xf32>
    %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<5x3xf32>) -> tensor<?x?x3xf32>
    %p = ssm.parameter "p" <normal, 0.0, 1.0> : tensor<2x3xf32>
    %B = ssm.linear %x, %p : (tensor<?x?x3xf32>, tensor<2x3xf32>) -> tensor<?x?x2xf32>
    %A = ssm.parameter "A" <a_log> : tensor<3x2xf32>)" +
         layer + R"(
    %loss = ssm.lm_loss %o, %table, %targets : (tensor<?x?x3xf32>, tensor<5x3xf32>, tensor<?x?xi32>) -> tensor<f32>
    ssm.return %loss : tensor<f32>
  })";
}

adjrt::reference::Result valueAndGrad(const ReferenceModel &model) {
  static const std::vector<int32_t> inputs{0, 1, 2, 3, 4, 1, 0, 2}, targets{1, 2, -100, 4, 1, 0, 2, 3};
  static const std::vector<uint8_t> resets{1, 0, 0, 1, 0, 0, 1, 0};
  adjrt::reference::NamedTensors parameters;
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 0.5);
  for (const auto &spec : model.parameters()) {
    adjrt::reference::Tensor tensor(spec.shape);
    for (double &value : tensor.values)
      value = normal(random);
    parameters.emplace(spec.name, std::move(tensor));
  }
  auto result = model.valueAndGrad(parameters, {2, 4, inputs, targets, resets, {}, {}, {}});
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result ? *result : adjrt::reference::Result();
}

const char *const kSelectiveScan = R"(
    %o = ssm.selective_scan %x, %x, %A, %B, %B gate %x
       : (tensor<?x?x3xf32>, tensor<?x?x3xf32>, tensor<3x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>, tensor<?x?x3xf32>)
         -> tensor<?x?x3xf32>)";

/// The same, spelled as a scan (%x is x, dt and z; %B is B and C).
const char *const kScan = R"(
    %o = ssm.scan over [b, t, d, n] state [d, n] : f32
         ins(%x as [b, t, d], %A as [d, n], %B as [b, t, n] : tensor<?x?x3xf32>, tensor<3x2xf32>, tensor<?x?x2xf32>)
         outs([b, t, d] : tensor<?x?x3xf32>)
    step {
    ^bb0(%v: f32, %a_log: f32, %b: f32, %reset: i1):
      %e = math.exp %v : f32
      %delta = math.log1p %e : f32
      %ea = math.exp %a_log : f32
      %na = arith.negf %ea : f32
      %da = arith.mulf %delta, %na : f32
      %a = math.exp %da : f32
      %dx = arith.mulf %delta, %v : f32
      %u = arith.mulf %dx, %b : f32
      ssm.yield %a, %u : f32, f32
    } read {
    ^bb0(%v: f32, %a_log: f32, %c: f32, %h: f32, %reset: i1):
      %ch = arith.mulf %c, %h : f32
      %s = ssm.sum [3] %ch : f32
      %nv = arith.negf %v : f32
      %e = math.exp %nv : f32
      %one = arith.constant 1.0 : f32
      %d = arith.addf %one, %e : f32
      %g = arith.divf %v, %d : f32
      %y = arith.mulf %s, %g : f32
      ssm.yield %y : f32
    })";

// An MLP spelled with layers that the section has anyway.
TEST(ModelExporter, MlpMeansItsLayers) {
  const char *head = R"(
    %g = ssm.parameter "g" <normal, 0.0, 1.0> : tensor<2x3xf32>
    %gb = ssm.parameter "gb" <normal, 0.0, 1.0> : tensor<2xf32>
    %d = ssm.parameter "d" <normal, 0.0, 1.0> : tensor<3x2xf32>
    %db = ssm.parameter "db" <normal, 0.0, 1.0> : tensor<3xf32>)";
  const char *mlp = R"(
    %o = ssm.mlp silu %x gate %g bias %gb up %p down %d bias %db
       : (tensor<?x?x3xf32>, tensor<2x3xf32>, tensor<2xf32>, tensor<2x3xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<?x?x3xf32>)";
  const char *layers = R"(
    %z = ssm.linear %x, %g, %gb : (tensor<?x?x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> tensor<?x?x2xf32>
    %u = ssm.linear %x, %p : (tensor<?x?x3xf32>, tensor<2x3xf32>) -> tensor<?x?x2xf32>
    %h = ssm.gate %u, %z : tensor<?x?x2xf32>
    %o = ssm.linear %h, %d, %db : (tensor<?x?x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<?x?x3xf32>)";
  Spec named(modelOf(std::string(head) + mlp)), spelled(modelOf(std::string(head) + layers));
  auto namedModel = named.reference(), spelledModel = spelled.reference();
  ASSERT_TRUE(namedModel) << namedModel.error().message;
  ASSERT_TRUE(spelledModel) << spelledModel.error().message;
  auto expected = valueAndGrad(*spelledModel), found = valueAndGrad(*namedModel);
  EXPECT_NEAR(found.loss, expected.loss, 1e-13);
  for (const auto &[name, gradient] : expected.gradients)
    for (std::size_t i = 0; i < gradient.values.size(); ++i)
      EXPECT_NEAR(found.gradients.at(name).values[i], gradient.values[i], 1e-12) << name;
}

TEST(ModelExporter, ScanAndItsSugarMeanTheSame) {
  Spec sugar(modelOf(kSelectiveScan)), scan(modelOf(kScan));
  auto sugarModel = sugar.reference(), scanModel = scan.reference();
  ASSERT_TRUE(sugarModel) << sugarModel.error().message;
  ASSERT_TRUE(scanModel) << scanModel.error().message;
  auto expected = valueAndGrad(*sugarModel), found = valueAndGrad(*scanModel);
  EXPECT_GT(expected.loss, 0);
  EXPECT_NEAR(found.loss, expected.loss, 1e-12);
  ASSERT_EQ(expected.gradients.size(), 3u);
  for (const auto &[name, gradient] : expected.gradients)
    for (size_t i = 0; i < gradient.values.size(); ++i)
      EXPECT_NEAR(found.gradients.at(name).values[i], gradient.values[i], 1e-12) << name;
}

TEST(ModelExporter, TheReferenceDeviceTakesEveryExample) {
  for (auto [name, count] : {std::pair("mamba-tiny", 22u), {"mamba-130m", 242u}, {"mamba-1.4b", 482u}}) {
    Spec spec(std::string(ADJC_EXAMPLES "/") + name + ".mlir", /*isFile=*/true);
    ASSERT_TRUE(spec.module) << spec.diagnostics;
    auto model = spec.reference();
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->parameters().size(), count) << name;
  }
}

TEST(ModelExporter, ParametersAreLayerMajorAndListedOnce) {
  Spec spec(ADJC_EXAMPLES "/mamba-tiny.mlir", /*isFile=*/true);
  auto parameters = adjc::collectParameters(spec.model());
  EXPECT_EQ(parameters.front().name, "backbone.embeddings.weight");
  EXPECT_EQ(parameters[1].name, "backbone.layers.0.norm.weight");
  EXPECT_EQ(parameters[11].name, "backbone.layers.1.norm.weight");
  EXPECT_EQ(parameters.back().name, "backbone.norm_f.weight");
  EXPECT_EQ(parameters.front().init.getKind(), "normal");
}

TEST(ModelExporter, TargetsComeLast) {
  Spec spec(R"(ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
    %table = ssm.parameter "table" <zeros> : tensor<5x3xf32>
    %bias = ssm.parameter "bias" <zeros> : tensor<5xf32>
    %x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<5x3xf32>) -> tensor<?x?x3xf32>
    %loss = ssm.lm_loss %x, %table, %targets bias %bias
       : (tensor<?x?x3xf32>, tensor<5x3xf32>, tensor<?x?xi32>, tensor<5xf32>) -> tensor<f32>
    ssm.return %loss : tensor<f32>
  })");
  auto section = adjc::exportModel(spec.model());
  ASSERT_TRUE(succeeded(section));
  const fb::NodeT &loss = *(*section)->graph->nodes.back();
  EXPECT_EQ(loss.operands.back(), 1); // value 1: the targets
  EXPECT_EQ(loss.attributes[0]->integer, 1);
  EXPECT_EQ(loss.location, "spec.mlir:5:13");
  EXPECT_TRUE(spec.reference().has_value());
}

TEST(ModelExporter, ComplexAndDenseScans) {
  for (const char *layer : {R"(
    %o = ssm.scan over [b, t, d, n] state [d, n] : complex<f32>
         ins(%x as [b, t, d], %A as [d, n] : tensor<?x?x3xf32>, tensor<3x2xf32>) outs([b, t, d] : tensor<?x?x3xf32>)
    step {
    ^bb0(%v: f32, %w: f32, %reset: i1):
      %a = complex.create %w, %w : complex<f32>
      %u = complex.create %v, %w : complex<f32>
      ssm.yield %a, %u : complex<f32>, complex<f32>
    } read {
    ^bb0(%v: f32, %w: f32, %h: complex<f32>, %reset: i1):
      %re = complex.re %h : complex<f32>
      %s = ssm.sum [3] %re : f32
      ssm.yield %s : f32
    })",
                            R"(
    %o = ssm.scan over [b, t, d, n, m] state [d, n] contracted m of n : f32
         ins(%x as [b, t, d], %A as [d, n], %B as [b, t, m] : tensor<?x?x3xf32>, tensor<3x2xf32>, tensor<?x?x2xf32>)
         outs([b, t, d] : tensor<?x?x3xf32>)
    step {
    ^bb0(%v: f32, %w: f32, %c: f32, %reset: i1):
      %a = arith.mulf %w, %c : f32
      %u = arith.mulf %v, %w : f32
      ssm.yield %a, %u : f32, f32
    } read {
    ^bb0(%v: f32, %w: f32, %c: f32, %h: f32, %reset: i1):
      %s = ssm.sum [3] %h : f32
      ssm.yield %s : f32
    })"}) {
    Spec spec(modelOf(layer));
    ASSERT_TRUE(spec.module) << spec.diagnostics;
    auto model = spec.reference();
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_GT(valueAndGrad(*model).loss, 0);
  }
}

void expectRefused(const std::string &layer, const std::string &message) {
  Spec spec(modelOf(layer));
  ASSERT_TRUE(spec.module) << spec.diagnostics;
  EXPECT_TRUE(failed(adjc::exportModel(spec.model())));
  EXPECT_NE(spec.diagnostics.find(message), std::string::npos) << spec.diagnostics;
}

TEST(ModelExporter, RefusesWhatTheSectionHasNoFormFor) {
  expectRefused("%o = arith.addf %x, %x : tensor<?x?x3xf32>", "'arith.addf' op may not stand in a model");
  expectRefused(R"(%y = ssm.concat %x, %x : tensor<?x?x3xf32>, tensor<?x?x3xf32> -> tensor<?x?x6xf32>
                   %o, %q = ssm.split %y : tensor<?x?x6xf32> -> tensor<?x?x3xf32>, tensor<?x?x3xf32>)",
                "'ssm.concat' op may not stand in a model");
  expectRefused(R"(%o = ssm.repeat 1 iter(%r = %x : tensor<?x?x3xf32>) reverse {
                     ssm.yield %r : tensor<?x?x3xf32>
                   })",
                "a repeat only carries values");
  expectRefused(R"(%w = ssm.parameter "w" <zeros> : tensor<3x1x2xf32>
    %o, %next = ssm.conv1d %x, %w : (tensor<?x?x3xf32>, tensor<3x1x2xf32>) -> (tensor<?x?x3xf32>, tensor<?x1x3xf32>))",
                "has a tail or resets");
  std::string scan = kScan;
  scan.replace(scan.find("%o = "), 5, "%o, %f = ");
  scan.replace(scan.find("    step {"), 4, " final(tensor<?x3x2xf32>) ");
  expectRefused(scan, "the session supplies and keeps them");
  std::string roundeven = kScan;
  roundeven.replace(roundeven.find("math.exp %v"), 8, "math.floor");
  expectRefused(roundeven, "'math.floor' op may not stand in a model");
}

} // namespace
