// Token files: shapes, ranges, and what belongs together.
#include "adjrt/io/TokenStream.h"
#include "adjrt/io/Npy.h"
#include "adjrt/io/Shape.h"

using namespace adjrt;

static constexpr std::int32_t kNotCounted = -100;

static std::string place(const std::string &file, std::int64_t sequence, std::int64_t position) {
  return file + ": sequence " + std::to_string(sequence) + ", position " + std::to_string(position) + ": ";
}

/// Makes (n) into (1, n) and checks the batch.
template <typename T> static Status toBatch(const std::string &file, NpyArray<T> &array, std::int64_t batch) {
  if (array.shape.size() == 1)
    array.shape.insert(array.shape.begin(), 1);
  if (array.shape.size() != 2)
    return invalidInput(file + ": has shape " + printShape(array.shape) + ", expected (batch, tokens) or (tokens,)");
  if (array.shape[0] != batch)
    return invalidInput(file + ": has " + std::to_string(array.shape[0]) + " sequences, the module was compiled for " +
                        std::to_string(batch) + "; compile it with --batch=" + std::to_string(array.shape[0]) +
                        " or give an array of shape (" + std::to_string(batch) + ", tokens)");
  return {};
}

template <typename T>
static Status checkShape(const std::string &file, const NpyArray<T> &array, std::int64_t tokens,
                         const std::string &ofFile) {
  if (array.shape[1] == tokens)
    return {};
  return invalidInput(file + ": has " + std::to_string(array.shape[1]) + " tokens a sequence, expected " +
                      std::to_string(tokens) + ", the number of inputs in " + ofFile);
}

static Status checkTokens(const std::string &file, const NpyArray<std::int32_t> &array, std::int64_t vocabulary,
                          bool targets) {
  std::int64_t width = array.shape[1];
  for (std::size_t i = 0; i != array.values.size(); ++i) {
    std::int32_t token = array.values[i];
    if ((token >= 0 && token < vocabulary) || (targets && token == kNotCounted))
      continue;
    auto index = static_cast<std::int64_t>(i);
    return invalidInput(place(file, index / width, index % width) + (targets ? "target " : "token ") +
                        std::to_string(token) + " is outside the vocabulary of " + std::to_string(vocabulary) +
                        " (0 to " + std::to_string(vocabulary - 1) +
                        (targets ? ", or -100 for a target that is not counted)" : ")"));
  }
  return {};
}

static Status checkResets(const std::string &file, const NpyArray<std::uint8_t> &array) {
  for (std::size_t i = 0; i != array.values.size(); ++i)
    if (array.values[i] > 1) {
      auto index = static_cast<std::int64_t>(i);
      return invalidInput(place(file, index / array.shape[1], index % array.shape[1]) + "reset " +
                          std::to_string(array.values[i]) + " is neither 0 nor 1");
    }
  return {};
}

Expected<TokenStream> TokenStream::read(const TokenFiles &files, const TokenLimits &limits) {
  TokenStream result;
  result.batch = limits.batch;
  ADJ_ASSIGN_OR_RETURN(auto tokens, readNpyInt32(files.tokens));
  ADJ_RETURN_IF_ERROR(toBatch(files.tokens, tokens, limits.batch));
  bool separate = !files.targets.empty();
  result.inputStride = result.targetStride = tokens.shape[1];
  result.tokens = tokens.shape[1] - (separate ? 0 : 1);
  if (result.tokens < 1)
    return invalidInput(files.tokens + ": has shape " + printShape(tokens.shape) +
                        ", so no token to compute on; give at least " +
                        (separate ? "one token" : "two tokens, an input and its target"));
  if (limits.context > 0 && result.tokens > limits.context)
    return invalidInput(files.tokens + ": has " + std::to_string(result.tokens) +
                        " tokens, the module was planned for at most " + std::to_string(limits.context) +
                        "; compile it with --context=" + std::to_string(result.tokens) + " or more");
  ADJ_RETURN_IF_ERROR(checkTokens(files.tokens, tokens, limits.vocabulary, false));
  if (separate) {
    ADJ_ASSIGN_OR_RETURN(auto targets, readNpyInt32(files.targets));
    ADJ_RETURN_IF_ERROR(toBatch(files.targets, targets, limits.batch));
    ADJ_RETURN_IF_ERROR(checkShape(files.targets, targets, result.tokens, files.tokens));
    ADJ_RETURN_IF_ERROR(checkTokens(files.targets, targets, limits.vocabulary, true));
    bool counted = false;
    for (std::int32_t target : targets.values)
      counted |= target != kNotCounted;
    if (!counted)
      return invalidInput(files.targets + ": every target is -100, so none is counted; give at least one target");
    result.ownTargets = std::move(targets.values);
  }
  if (!files.resets.empty()) {
    ADJ_ASSIGN_OR_RETURN(auto resets, readNpyUInt8(files.resets));
    ADJ_RETURN_IF_ERROR(toBatch(files.resets, resets, limits.batch));
    ADJ_RETURN_IF_ERROR(checkShape(files.resets, resets, result.tokens, files.tokens));
    ADJ_RETURN_IF_ERROR(checkResets(files.resets, resets));
    result.resetFlags = std::move(resets.values);
  }
  result.stream = std::move(tokens.values);
  return result;
}

TokenStream TokenStream::fromMemory(std::int64_t batch, std::int64_t tokens, std::vector<std::int32_t> stream,
                                    std::vector<std::uint8_t> resets) {
  TokenStream result;
  result.batch = batch;
  result.tokens = tokens;
  result.inputStride = result.targetStride = tokens + 1;
  result.stream = std::move(stream);
  result.resetFlags = std::move(resets);
  return result;
}
