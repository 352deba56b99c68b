// Specs from files: a config.json becomes a model that verifies; what is wrong with a file is said with its place.
#include "adjc/Spec/LoadSpec.h"

#include "ssm/SsmOps.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace adjc;
namespace ssm = mlir::ssm;

namespace {

class LoadSpec : public ::testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("adjc-load-spec-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    context.loadDialect<ssm::SsmDialect>();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// Loads a file with this text. The file's folder is left out of error messages.
  adjrt::Expected<mlir::OwningOpRef<mlir::ModuleOp>> load(const std::string &name, const std::string &text,
                                                          ComputeType computeType = ComputeType::F32) {
    std::ofstream(folder / name) << text;
    auto module = loadSpec(context, (folder / name).string(), computeType);
    if (!module) {
      EXPECT_EQ(module.error().kind, adjrt::ErrorKind::InvalidInput);
      const std::string prefix = folder.string() + "/";
      for (size_t at; (at = module.error().message.find(prefix)) != std::string::npos;)
        module.error().message.erase(at, prefix.size());
    }
    return module;
  }
  std::string errorOf(const std::string &name, const std::string &text, ComputeType computeType = ComputeType::F32) {
    auto module = load(name, text, computeType);
    return module ? "no error" : module.error().message;
  }

  std::filesystem::path folder;
  mlir::MLIRContext context;
};

std::string config(const std::string &fields) {
  return R"({"model_type": "mamba", "vocab_size": 97, "hidden_size": 40, "state_size": 5, "num_hidden_layers": 3,
             "time_step_rank": 7)" +
         fields + "}";
}

TEST_F(LoadSpec, ASpecIsInF32) {
  std::string spec = R"(ssm.model @m(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {
  %w = ssm.parameter "w" <ones> : tensor<8x4xf32>
  %x = ssm.embedding %tokens, %w : (tensor<?x?xi32>, tensor<8x4xf32>) -> tensor<?x?x4xbf16>
  %loss = ssm.lm_loss %x, %w, %targets : (tensor<?x?x4xbf16>, tensor<8x4xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
})";
  EXPECT_EQ(errorOf("m.mlir", spec), "m.mlir:3:8: a spec is in f32; --dtype=bf16 stores its activations in bf16");
}

TEST_F(LoadSpec, EveryVariantOfAConfigVerifies) {
  for (const char *fields :
       {"", R"(, "use_bias": true)", R"(, "use_conv_bias": false)", R"(, "tie_word_embeddings": false)",
        R"(, "conv_kernel": 1)", R"(, "time_step_init_scheme": "constant", "initializer_range": 0)",
        R"(, "expand": 1, "time_step_scale": 1e-30, "layer_norm_epsilon": 1)"}) {
    auto module = load("config.json", config(fields));
    ASSERT_TRUE(module) << fields << "\n" << module.error().message;
    int64_t parameters = 0;
    (*module)->walk([&](ssm::ParameterOp parameter) { ++parameters; });
    const std::string text = fields;
    EXPECT_EQ(parameters, 12 + 2 * (text.find("use_bias") != std::string::npos) -
                              (text.find("use_conv") != std::string::npos) + (text.find("tie") != std::string::npos))
        << fields;
  }
}

/// The model as a list of lines: operations, types and parameter names, without locations and initial values.
std::string shapeOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module->walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation *op) {
    out << op->getName();
    for (mlir::Value operand : op->getOperands())
      out << " " << operand.getType();
    out << " ->";
    for (mlir::Type type : op->getResultTypes())
      out << " " << type;
    if (auto parameter = mlir::dyn_cast<ssm::ParameterOp>(op))
      out << " " << parameter.getName();
    if (auto repeat = mlir::dyn_cast<ssm::RepeatOp>(op))
      out << " " << repeat.getCount();
    out << "\n";
  });
  return text;
}

TEST_F(LoadSpec, PublishedConfigsBecomeTheExamples) {
  const std::pair<const char *, const char *> examples[] = {
      {"mamba-130m.mlir", R"({"model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24})"},
      {"mamba-1.4b.mlir", R"({"model_type": "mamba", "hidden_size": 2048, "num_hidden_layers": 48})"}};
  for (auto &[name, text] : examples) {
    auto example = loadSpec(context, std::string(ADJC_EXAMPLES) + "/" + name, ComputeType::F32);
    ASSERT_TRUE(example) << example.error().message;
    auto imported = load("config.json", text);
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_EQ(shapeOf(**imported), shapeOf(**example)) << name;
  }
}

TEST_F(LoadSpec, ErrorsOfAConfig) {
  EXPECT_EQ(errorOf("config.json", config(R"(, "hidden_act": "relu")")),
            "config.json:2:35: field \"hidden_act\" is \"relu\"; adjc computes \"silu\" only");
  EXPECT_NE(errorOf("config.json", config(R"(, "residual_in_fp32": false)"), ComputeType::BF16)
                .find("field \"residual_in_fp32\" is false"),
            std::string::npos);
}

TEST_F(LoadSpec, ErrorsOfASpec) {
  EXPECT_EQ(errorOf("syntax.mlir", "ssm.model @m(").substr(0, 17), "syntax.mlir:1:13:");
  EXPECT_EQ(errorOf("empty.mlir", "\n"), "empty.mlir: a spec holds exactly one ssm.model, found 0");
  EXPECT_NE(errorOf("unknown.mlir", "\n  ssm.modle @m() {}").find("unknown.mlir:2:3: "), std::string::npos);
}

TEST_F(LoadSpec, FileThatIsNotThere) {
  auto module = loadSpec(context, "/nonexistent/spec.mlir", ComputeType::F32);
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error().message,
            "/nonexistent/spec.mlir: cannot be read: No such file or directory; give an .mlir spec or a config.json");
}

} // namespace
