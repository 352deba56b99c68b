// Reading training data and cutting windows out of it.
#include "TrainingData.h"
#include "adjrt/initialize/Random.h"
#include "adjrt/io/File.h"
#include "adjrt/io/Npy.h"

#include <filesystem>

using namespace adjrt;
using namespace adjrun;

/// Text is held in memory whole.
static constexpr std::uint64_t kLargestText = std::uint64_t{1} << 34;

Expected<TrainingData> TrainingData::read(const std::string &path, std::int64_t vocabulary) {
  TrainingData data;
  if (std::filesystem::path(path).extension() == ".npy") {
    ADJ_ASSIGN_OR_RETURN(auto array, readNpyInt32(path));
    for (std::size_t i = 0; i != array.values.size(); ++i)
      if (array.values[i] < 0 || array.values[i] >= vocabulary)
        return invalidInput(path + ": position " + std::to_string(i) + ": token " + std::to_string(array.values[i]) +
                            " is outside the vocabulary of " + std::to_string(vocabulary));
    data.tokens = std::move(array.values);
  } else {
    if (vocabulary < 256)
      return invalidInput(path +
                          ": text is trained on as bytes, which needs a vocabulary of at least 256; the module's has " +
                          std::to_string(vocabulary) + ". Give tokens as an int32 .npy");
    ADJ_ASSIGN_OR_RETURN(data.text, readTextFile(path, kLargestText));
  }
  if (data.size() < 2)
    return invalidInput(path + ": has " + std::to_string(data.size()) + " tokens, at least 2 are needed");
  return data;
}

TokenStream TrainingData::sample(std::int64_t batch, std::int64_t length, std::uint64_t seed, std::int64_t step) const {
  RandomStream random(seed, "windows");
  std::vector<std::int32_t> stream;
  stream.reserve(static_cast<std::size_t>(batch * (length + 1)));
  for (std::int64_t b = 0; b != batch; ++b) {
    auto places = static_cast<std::uint64_t>(size() - length);
    std::uint64_t begin = random.below(static_cast<std::uint64_t>(step * batch + b), places);
    for (std::uint64_t i = begin; i != begin + static_cast<std::uint64_t>(length) + 1; ++i)
      stream.push_back(text.empty() ? tokens[i] : static_cast<unsigned char>(text[i]));
  }
  return TokenStream::fromMemory(batch, length, std::move(stream));
}
