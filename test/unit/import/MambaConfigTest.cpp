// The import of a Hugging Face config.json: meanings and defaults, and an error that names the place for each wrong
// file.
#include "adjc/Import/MambaConfig.h"

#include <gtest/gtest.h>

using namespace adjc;

namespace {

/// What state-spaces publishes for its 130M model: transformers' fields, and those left over from the conversion.
const char *published130m = R"({
  "architectures": ["MambaForCausalLM"],
  "bos_token_id": 0, "conv_kernel": 4, "d_inner": 1536, "d_model": 768, "eos_token_id": 0, "expand": 2,
  "fused_add_norm": true, "hidden_act": "silu", "hidden_size": 768, "initializer_range": 0.1, "intermediate_size": 1536,
  "layer_norm_epsilon": 1e-05, "model_type": "mamba", "n_layer": 24, "num_hidden_layers": 24, "pad_token_id": 0,
  "pad_vocab_size_multiple": 8, "rescale_prenorm_residual": false, "residual_in_fp32": true, "rms_norm": true,
  "ssm_cfg": {}, "state_size": 16, "time_step_floor": 0.0001, "time_step_init_scheme": "random", "time_step_max": 0.1,
  "time_step_min": 0.001, "time_step_rank": 48, "time_step_scale": 1.0, "torch_dtype": "float32",
  "transformers_version": "4.39.0.dev0", "use_bias": false, "use_cache": true, "use_conv_bias": true, "vocab_size": 50280
})";

/// A config of model_type mamba with these further fields, which stand in line 2 from column 2 on.
adjrt::Expected<MambaConfig> parse(const std::string &fields, ComputeType computeType = ComputeType::F32) {
  return parseMambaConfig("{\"model_type\": \"mamba\"" + (fields.empty() ? "" : ",\n " + fields) + "}", "config.json",
                          computeType);
}

std::string errorOf(const std::string &fields, ComputeType computeType = ComputeType::F32) {
  auto config = parse(fields, computeType);
  if (config)
    return "no error";
  EXPECT_EQ(config.error().kind, adjrt::ErrorKind::InvalidInput);
  return config.error().message;
}

std::string errorOfText(const std::string &text) {
  auto config = parseMambaConfig(text, "config.json", ComputeType::F32);
  return config ? "no error" : config.error().message;
}

TEST(MambaConfig, Published) {
  auto config = parseMambaConfig(published130m, "config.json", ComputeType::BF16);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->vocabSize, 50280);
  EXPECT_EQ(config->hiddenSize, 768);
  EXPECT_EQ(config->layers, 24);
  EXPECT_EQ(config->intermediateSize, 1536);
  EXPECT_EQ(config->timeStepRank, 48);
  EXPECT_EQ(config->stateSize, 16);
  EXPECT_EQ(config->convKernel, 4);
  EXPECT_EQ(config->layerNormEpsilon, 1e-5);
  EXPECT_FALSE(config->useBias);
  EXPECT_TRUE(config->useConvBias);
  EXPECT_TRUE(config->tieWordEmbeddings);
}

TEST(MambaConfig, DefaultsOfAbsentFields) {
  auto config = parse("");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->vocabSize, 50280);
  EXPECT_EQ(config->hiddenSize, 768);
  EXPECT_EQ(config->layers, 32);
  EXPECT_EQ(config->intermediateSize, 1536);
  EXPECT_EQ(config->timeStepRank, 48);
  EXPECT_FALSE(config->useBias);
  EXPECT_TRUE(config->useConvBias);
  EXPECT_TRUE(config->tieWordEmbeddings);
  EXPECT_EQ(config->initializerRange, 0.1);
}

TEST(MambaConfig, EveryFieldIsHonoured) {
  auto config = parse(R"("vocab_size": 97, "hidden_size": 40, "state_size": 5, "num_hidden_layers": 3, "conv_kernel": 3,
    "layer_norm_epsilon": 1e-6, "expand": 3, "time_step_rank": 7, "use_bias": true, "use_conv_bias": false,
    "tie_word_embeddings": false, "initializer_range": 0.02, "time_step_scale": 2, "time_step_min": 0.01,
    "time_step_max": 0.2, "time_step_floor": 0.001, "time_step_init_scheme": "constant", "rescale_prenorm_residual": true)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->vocabSize, 97);
  EXPECT_EQ(config->hiddenSize, 40);
  EXPECT_EQ(config->stateSize, 5);
  EXPECT_EQ(config->layers, 3);
  EXPECT_EQ(config->convKernel, 3);
  EXPECT_EQ(config->layerNormEpsilon, 1e-6);
  EXPECT_EQ(config->intermediateSize, 120);
  EXPECT_EQ(config->timeStepRank, 7);
  EXPECT_TRUE(config->useBias);
  EXPECT_FALSE(config->useConvBias);
  EXPECT_FALSE(config->tieWordEmbeddings);
  EXPECT_EQ(config->initializerRange, 0.02);
  EXPECT_EQ(config->timeStepScale, 2);
  EXPECT_EQ(config->timeStepMin, 0.01);
  EXPECT_EQ(config->timeStepMax, 0.2);
  EXPECT_EQ(config->timeStepFloor, 0.001);
  EXPECT_EQ(config->timeStepInit, TimeStepInit::Constant);
  EXPECT_TRUE(config->rescalePrenormResidual);
}

TEST(MambaConfig, DerivedSizes) {
  EXPECT_EQ(parse(R"("hidden_size": 40, "time_step_rank": "auto")")->timeStepRank, 3); // rounded up
  EXPECT_EQ(parse(R"("hidden_size": 7, "expand": 1.5)")->intermediateSize, 10);        // rounded down
  // A published file may hold an expand that contradicts intermediate_size; transformers takes the latter.
  EXPECT_EQ(parse(R"("hidden_size": 4096, "expand": 16, "intermediate_size": 8192)")->intermediateSize, 8192);
}

TEST(MambaConfig, SameFunctionByAnotherName) {
  EXPECT_TRUE(parse(R"("hidden_act": "swish")"));
  EXPECT_TRUE(parse(R"("use_mambapy": true, "use_cache": false, "torch_dtype": "bfloat16", "d_inner": 160)"));
  EXPECT_TRUE(parse(R"("architectures": null, "ssm_cfg": null, "quantization_config": null)"));
}

TEST(MambaConfig, ResidualInF32) {
  EXPECT_TRUE(parse(R"("residual_in_fp32": false)"));
  EXPECT_EQ(
      errorOf(R"("residual_in_fp32": false)", ComputeType::BF16),
      "config.json:2:2: field \"residual_in_fp32\" is false: adjc keeps the residual stream in f32, so it cannot round "
      "it to bf16; set it to true, or compile with --dtype=f32, where it changes nothing");
}

TEST(MambaConfig, RefusesByName) {
  EXPECT_EQ(errorOf(R"("hidden_act": "gelu")"),
            "config.json:2:2: field \"hidden_act\" is \"gelu\"; adjc computes \"silu\" only");
  EXPECT_EQ(errorOf(R"("time_step_init_scheme": "uniform")"),
            "config.json:2:2: field \"time_step_init_scheme\" is \"uniform\"; adjc knows \"random\" and \"constant\"");
  EXPECT_EQ(errorOf(R"("rms_norm": false)"),
            "config.json:2:2: field \"rms_norm\" is false; adjc compiles models with true there only");
  EXPECT_EQ(errorOf(R"("n_layer": 24)"),
            "config.json:2:2: field \"n_layer\" is 24; adjc compiles models with 32 there only");
  EXPECT_EQ(errorOf(R"("ssm_cfg": {"layer": "Mamba2"})"),
            "config.json:2:2: field \"ssm_cfg\" is not empty; adjc compiles models with {} there only");
  EXPECT_EQ(errorOf(R"("quantization_config": {"bits": 4})"),
            "config.json:2:2: field \"quantization_config\" is not empty; adjc compiles models with none there only");
  EXPECT_EQ(errorOf(R"("architectures": ["MambaForSequenceClassification"])"),
            "config.json:2:2: field \"architectures\" does not name MambaForCausalLM, the one architecture that adjc "
            "compiles");
  EXPECT_EQ(errorOf(R"("time_step_min": 0.5)"),
            "config.json:2:2: field \"time_step_min\" is larger than time_step_max");
  EXPECT_EQ(errorOfText(R"({"model_type": "mamba2"})"),
            "config.json:1:2: field \"model_type\" is \"mamba2\"; adjc reads configs of model_type \"mamba\" only");
  EXPECT_EQ(errorOfText("{}"),
            "config.json:1:1: field \"model_type\" is missing; adjc reads configs of model_type \"mamba\"");
}

TEST(MambaConfig, UnknownField) {
  EXPECT_EQ(errorOf("\"expand\": 2,\n    \"mixer_rms_eps\": 1e-6"),
            "config.json:3:5: field \"mixer_rms_eps\" is neither one that adjc honours nor metadata that it knows; if "
            "it does "
            "not change the model's loss, remove it from the file");
}

TEST(MambaConfig, WrongTypes) {
  EXPECT_EQ(errorOf(R"("vocab_size": "97")"), "config.json:2:2: field \"vocab_size\" must be an integer, found \"97\"");
  EXPECT_EQ(errorOf(R"("vocab_size": 97.5)"), "config.json:2:2: field \"vocab_size\" must be an integer, found 97.5");
  EXPECT_EQ(errorOf(R"("hidden_size": null)"), "config.json:2:2: field \"hidden_size\" must be an integer, found null");
  EXPECT_EQ(errorOf(R"("use_bias": 1)"), "config.json:2:2: field \"use_bias\" must be true or false, found 1");
  EXPECT_EQ(errorOf(R"("hidden_act": ["silu"])"),
            "config.json:2:2: field \"hidden_act\" must be a string, found array");
  EXPECT_EQ(errorOf(R"("layer_norm_epsilon": "1e-5")"),
            "config.json:2:2: field \"layer_norm_epsilon\" must be a number, found \"1e-5\"");
  EXPECT_EQ(errorOf(R"("time_step_rank": "automatic")"),
            "config.json:2:2: field \"time_step_rank\" must be an integer or \"auto\", found \"automatic\"");
}

TEST(MambaConfig, OutOfRange) {
  EXPECT_EQ(errorOf(R"("hidden_size": 0)"),
            "config.json:2:2: field \"hidden_size\" is 0; it must be between 1 and 2147483647");
  EXPECT_EQ(errorOf(R"("state_size": -3)"),
            "config.json:2:2: field \"state_size\" is -3; it must be between 1 and 2147483647");
  EXPECT_EQ(errorOf(R"("vocab_size": 18446744073709551615)"),
            "config.json:2:2: field \"vocab_size\" is 18446744073709551615; it must be between 1 and 2147483647");
  EXPECT_NE(errorOf(R"("layer_norm_epsilon": 0)").find("field \"layer_norm_epsilon\" is 0; it must be between"),
            std::string::npos);
  EXPECT_NE(errorOf(R"("expand": 1e-4)").find("field \"expand\" makes an intermediate size of 0"), std::string::npos);
  EXPECT_NE(errorOf(R"("initializer_range": 1e999)").find("config.json: "), std::string::npos);
}

TEST(MambaConfig, NotJson) {
  const std::string advice = ": this is not valid JSON; repair the file, or give an .mlir spec";
  EXPECT_EQ(errorOfText(""), "config.json:1:1" + advice);
  EXPECT_EQ(errorOfText("{\"model_type\": \"mamba\",\n  \"vocab_size\": }"), "config.json:2:17" + advice);
  EXPECT_EQ(errorOfText("[1, 2]"),
            "config.json:1:1: expected a JSON object of fields, as in a config.json, found array");
  EXPECT_EQ(errorOfText("\"text\""),
            "config.json:1:1: expected a JSON object of fields, as in a config.json, found string");
}

TEST(MambaConfig, FieldGivenTwice) {
  EXPECT_EQ(errorOf(R"("expand": 2, "expand": 3)"), "config.json:2:15: field \"expand\" is given twice; keep one");
  // Inside another object, or as a value, the same text is no second field.
  EXPECT_TRUE(
      parse(R"("task_specific_params": {"expand": 3, "quote\"": "expand"}, "prefix": "\"expand\": ", "expand": 2)"));
}

} // namespace
