// Reading training data and cutting windows out of it.
#include "TrainingData.h"
#include "adjrt/initialize/Random.h"

#include <algorithm>
#include <array>
#include <filesystem>

using namespace adjrt;
using namespace adjrun;

Status TrainingData::readTokens(std::uint64_t first, std::span<std::int32_t> ids) const {
  if (tokens) {
    ADJ_RETURN_IF_ERROR(tokens->read(first, ids));
    for (std::size_t i = 0; i != ids.size(); ++i)
      if (ids[i] < 0 || ids[i] >= vocabulary)
        return invalidInput(tokens->path() + ": position " + std::to_string(first + i) + ": token " +
                            std::to_string(ids[i]) + " is outside the vocabulary of " + std::to_string(vocabulary));
    return {};
  }
  std::array<unsigned char, 4096> bytes;
  while (!ids.empty()) {
    const auto piece = std::span(bytes).first(std::min(bytes.size(), ids.size()));
    ADJ_RETURN_IF_ERROR(text->readAt(first, std::as_writable_bytes(piece)));
    std::copy(piece.begin(), piece.end(), ids.begin());
    ids = ids.subspan(piece.size());
    first += piece.size();
  }
  return {};
}

Expected<TrainingData> TrainingData::read(const std::string &path, std::int64_t vocabulary) {
  TrainingData data;
  data.vocabulary = vocabulary;
  if (std::filesystem::path(path).extension() == ".npy") {
    ADJ_ASSIGN_OR_RETURN(data.tokens, NpyFile<std::int32_t>::open(path));
    std::vector<std::int32_t> window(std::min(data.tokens->size(), std::uint64_t(kRowWindow)));
    for (std::uint64_t first = 0, size = data.tokens->size(); first < size; first += window.size())
      ADJ_RETURN_IF_ERROR(
          data.readTokens(first, std::span(window).first(std::min<std::uint64_t>(window.size(), size - first))));
  } else {
    if (vocabulary < 256)
      return invalidInput(path +
                          ": text is trained on as bytes, which needs a vocabulary of at least 256; the module's has " +
                          std::to_string(vocabulary) + ". Give tokens as an int32 .npy");
    ADJ_ASSIGN_OR_RETURN(data.text, InputFile::open(path));
  }
  if (data.size() < 2)
    return invalidInput(path + ": has " + std::to_string(data.size()) + " tokens, at least 2 are needed");
  return data;
}

Expected<TokenStream> TrainingData::sample(std::int64_t batch, std::int64_t length, std::uint64_t seed,
                                           std::int64_t step) const {
  RandomStream random(seed, "windows");
  const auto width = static_cast<std::size_t>(length) + 1;
  std::vector<std::int32_t> stream(static_cast<std::size_t>(batch) * width);
  for (std::int64_t b = 0; b != batch; ++b) {
    const auto places = static_cast<std::uint64_t>(size() - length);
    const std::uint64_t begin = random.below(static_cast<std::uint64_t>(step * batch + b), places);
    ADJ_RETURN_IF_ERROR(readTokens(begin, std::span(stream).subspan(static_cast<std::size_t>(b) * width, width)));
  }
  return TokenStream::fromMemory(batch, length, std::move(stream));
}
