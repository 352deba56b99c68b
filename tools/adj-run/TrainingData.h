// The tokens that training draws its sequences from.
#ifndef ADJC_TOOLS_ADJRUN_TRAININGDATA_H
#define ADJC_TOOLS_ADJRUN_TRAININGDATA_H

#include "adjrt/io/Npy.h"
#include "adjrt/io/TokenStream.h"
#include "adjrt/module/Module.h"

#include <optional>
#include <string>
#include <vector>

namespace adjrun {

/// One long stream of tokens: the bytes of a text, or an int32 .npy. It stays in its file; what a step needs is read.
class TrainingData {
public:
  /// Opens `path` and reads it once, to check it: a file called *.npy is an int32 array, flattened; any other is text,
  /// whose bytes are its tokens. Errors (InvalidInput): fewer than two tokens, text for a vocabulary below 256, a token
  /// outside the vocabulary (with its position).
  static adjrt::Expected<TrainingData> read(const std::string &path, std::int64_t vocabulary);

  /// Number of tokens.
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(tokens ? tokens->size() : text->size()); }
  /// `batch` random windows of `length` inputs each (length below size()), a function of (seed, step).
  /// Errors, which name the file: it became shorter, or holds other tokens than those that were checked.
  [[nodiscard]] adjrt::Expected<adjrt::TokenStream> sample(std::int64_t batch, std::int64_t length, std::uint64_t seed,
                                                           std::int64_t step) const;

private:
  /// Fills `ids` with the tokens from `first` on.
  [[nodiscard]] adjrt::Status readTokens(std::uint64_t first, std::span<std::int32_t> ids) const;

  std::int64_t vocabulary = 0;
  std::optional<adjrt::NpyFile<std::int32_t>> tokens; ///< one of the two
  std::optional<adjrt::InputFile> text;
};

} // namespace adjrun

#endif
