//===- MambaConfig.cpp - a Hugging Face config.json of a Mamba model, checked -----------------------------------===//
#include "adjc/Import/MambaConfig.h"

#include "adjc/Import/JsonFields.h"

#include <cmath>
#include <limits>
#include <utility>

using nlohmann::json;

namespace adjc {
namespace {

constexpr int64_t maxSize = std::numeric_limits<int32_t>::max();
constexpr double maxNumber = std::numeric_limits<float>::max();
constexpr double minPositive = std::numeric_limits<float>::min();

/// Fields that describe the file, its tokenizer, text generation, or which of several equivalent kernels to run:
/// whatever their value, loss and gradients are the same. `d_inner` is one: transformers never reads it, and
/// published files hold values in it that contradict intermediate_size.
constexpr const char *metadata[] = {
    // the file
    "_name_or_path", "name_or_path", "_commit_hash", "transformers_version", "torch_dtype", "dtype",
    "_attn_implementation_autoset", "_attn_implementation", "attn_implementation", "_attn_implementation_internal",
    "_output_attentions", "_experts_implementation", "license", "tags", "library_name", "finetuning_task",
    "task_specific_params", "problem_type", "id2label", "label2id", "num_labels", "tokenizer_class", "prefix",
    // tokens with a role of their own: the model treats them as any other token
    "pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "decoder_start_token_id", "unk_token_id",
    "cls_token_id", "mask_token_id",
    // what a forward call returns, and text generation
    "use_cache", "return_dict", "use_return_dict", "output_hidden_states", "output_attentions", "torchscript",
    "use_bfloat16", "is_decoder", "tf_legacy_loss", "max_length", "max_new_tokens", "min_length", "do_sample",
    "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
    "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
    "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
    "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
    // which kernel: the same function
    "use_mambapy", "use_associative_scan", "fused_add_norm", "chunk_size_feed_forward",
    // left over from the conversion of mamba_ssm files, not read by transformers
    "d_inner", "dt_rank", "pad_vocab_size_multiple"};

adjrt::Status checkIdentity(JsonFields &fields) {
  std::string modelType;
  if (!fields.find("model_type"))
    return fields.error("model_type", "is missing; adjc reads configs of model_type \"mamba\"");
  ADJ_RETURN_IF_ERROR(fields.text("model_type", modelType));
  if (modelType != "mamba")
    return fields.error("model_type", "is \"" + modelType + "\"; adjc reads configs of model_type \"mamba\" only");

  if (const json *architectures = fields.find("architectures"); architectures && !architectures->is_null()) {
    bool known = architectures->is_array() && architectures->empty();
    if (architectures->is_array())
      for (const json &name : *architectures)
        known |= name == "MambaForCausalLM";
    if (!known)
      return fields.error("architectures", "does not name MambaForCausalLM, the one architecture that adjc compiles");
  }
  return {};
}

adjrt::Status readSizes(JsonFields &fields, MambaConfig &config) {
  ADJ_RETURN_IF_ERROR(fields.integer("vocab_size", config.vocabSize, 1, maxSize));
  ADJ_RETURN_IF_ERROR(fields.integer("hidden_size", config.hiddenSize, 1, maxSize));
  ADJ_RETURN_IF_ERROR(fields.integer("state_size", config.stateSize, 1, maxSize));
  ADJ_RETURN_IF_ERROR(fields.integer("num_hidden_layers", config.layers, 1, maxSize));
  ADJ_RETURN_IF_ERROR(fields.integer("conv_kernel", config.convKernel, 1, maxSize));

  // transformers sets intermediate_size from expand, and a field of that name in the file then overrides it.
  double expand = 2;
  ADJ_RETURN_IF_ERROR(fields.number("expand", expand, minPositive, maxSize));
  double product = std::floor(expand * static_cast<double>(config.hiddenSize));
  bool given = fields.find("intermediate_size") != nullptr;
  if (!given && (product < 1 || product > static_cast<double>(maxSize)))
    return fields.error("expand", "makes an intermediate size of " + std::to_string(product) +
                                      "; it must be between 1 and " + std::to_string(maxSize));
  config.intermediateSize = given ? 0 : static_cast<int64_t>(product);
  ADJ_RETURN_IF_ERROR(fields.integer("intermediate_size", config.intermediateSize, 1, maxSize));

  config.timeStepRank = (config.hiddenSize + 15) / 16;
  if (const json *rank = fields.find("time_step_rank"); rank && *rank != "auto") {
    if (!rank->is_number_integer())
      return fields.error("time_step_rank",
                          "must be an integer or \"auto\", found " +
                              (rank->is_structured() ? std::string(rank->type_name()) : rank->dump()));
    ADJ_RETURN_IF_ERROR(fields.integer("time_step_rank", config.timeStepRank, 1, maxSize));
  }
  return {};
}

adjrt::Status readComputation(JsonFields &fields, MambaConfig &config, ComputeType computeType) {
  ADJ_RETURN_IF_ERROR(fields.number("layer_norm_epsilon", config.layerNormEpsilon, minPositive, maxNumber));
  ADJ_RETURN_IF_ERROR(fields.boolean("use_bias", config.useBias));
  ADJ_RETURN_IF_ERROR(fields.boolean("use_conv_bias", config.useConvBias));
  ADJ_RETURN_IF_ERROR(fields.boolean("tie_word_embeddings", config.tieWordEmbeddings));

  std::string activation = "silu";
  ADJ_RETURN_IF_ERROR(fields.text("hidden_act", activation));
  if (activation != "silu" && activation != "swish") // two names of one function
    return fields.error("hidden_act", "is \"" + activation + "\"; adjc computes \"silu\" only");

  bool residualInF32 = true;
  ADJ_RETURN_IF_ERROR(fields.boolean("residual_in_fp32", residualInF32));
  if (!residualInF32 && computeType == ComputeType::BF16)
    return fields.error("residual_in_fp32",
                        "is false: adjc keeps the residual stream in f32, so it cannot round it to "
                        "bf16; set it to true, or compile with --dtype=f32, where it changes nothing");
  return {};
}

adjrt::Status readInitialisation(JsonFields &fields, MambaConfig &config) {
  ADJ_RETURN_IF_ERROR(fields.number("initializer_range", config.initializerRange, 0, maxNumber));
  ADJ_RETURN_IF_ERROR(fields.number("time_step_scale", config.timeStepScale, 0, maxNumber));
  ADJ_RETURN_IF_ERROR(fields.number("time_step_min", config.timeStepMin, minPositive, maxNumber));
  ADJ_RETURN_IF_ERROR(fields.number("time_step_max", config.timeStepMax, minPositive, maxNumber));
  ADJ_RETURN_IF_ERROR(fields.number("time_step_floor", config.timeStepFloor, minPositive, maxNumber));
  if (config.timeStepMin > config.timeStepMax)
    return fields.error("time_step_min", "is larger than time_step_max");
  ADJ_RETURN_IF_ERROR(fields.boolean("rescale_prenorm_residual", config.rescalePrenormResidual));

  std::string scheme = "random";
  ADJ_RETURN_IF_ERROR(fields.text("time_step_init_scheme", scheme));
  if (scheme != "random" && scheme != "constant")
    return fields.error("time_step_init_scheme", "is \"" + scheme + "\"; adjc knows \"random\" and \"constant\"");
  config.timeStepInit = scheme == "random" ? TimeStepInit::Random : TimeStepInit::Constant;
  return {};
}

/// Fields that would change the computation with another value than the one everybody publishes.
adjrt::Status checkInert(JsonFields &fields, const MambaConfig &config) {
  const std::pair<const char *, json> onlyValue[] = {{"rms_norm", true},
                                                     {"is_encoder_decoder", false},
                                                     {"add_cross_attention", false},
                                                     {"tie_encoder_decoder", false},
                                                     {"cross_attention_hidden_size", nullptr},
                                                     {"ssm_cfg", json::object()},
                                                     {"pruned_heads", json::object()},
                                                     {"attn_layer_idx", json::array()},
                                                     {"attn_cfg", json::object()},
                                                     {"d_intermediate", 0},
                                                     {"quantization_config", nullptr},
                                                     {"auto_map", json::object()},
                                                     {"sparsity_config", nullptr},
                                                     {"d_model", config.hiddenSize},
                                                     {"n_layer", config.layers}};
  for (const auto &[name, value] : onlyValue)
    if (const json *field = fields.find(name); field && !field->is_null() && *field != value)
      return fields.error(name, "is " + (field->is_structured() ? "not empty" : field->dump()) +
                                    "; adjc compiles models with " + (value.is_null() ? "none" : value.dump()) +
                                    " there only");
  return {};
}

} // namespace

adjrt::Expected<MambaConfig> parseMambaConfig(std::string_view text, std::string_view fileName,
                                              ComputeType computeType) {
  ADJ_ASSIGN_OR_RETURN(JsonFields fields, JsonFields::parse(text, fileName));
  MambaConfig config;
  ADJ_RETURN_IF_ERROR(checkIdentity(fields));
  ADJ_RETURN_IF_ERROR(readSizes(fields, config));
  ADJ_RETURN_IF_ERROR(readComputation(fields, config, computeType));
  ADJ_RETURN_IF_ERROR(readInitialisation(fields, config));
  ADJ_RETURN_IF_ERROR(checkInert(fields, config));
  for (const char *name : metadata)
    fields.find(name);
  for (const std::string &name : fields.unread())
    return fields.error(name, "is neither one that adjc honours nor metadata that it knows; if it does not change the "
                              "model's loss, remove it from the file");
  return config;
}

} // namespace adjc
