// The tokens that training draws its sequences from.
#ifndef ADJC_TOOLS_ADJRUN_TRAININGDATA_H
#define ADJC_TOOLS_ADJRUN_TRAININGDATA_H

#include "adjrt/io/TokenStream.h"
#include "adjrt/module/Module.h"

#include <string>
#include <vector>

namespace adjrun {

/// One long stream of tokens: the bytes of a text, or an int32 .npy.
class TrainingData {
public:
  /// Reads `path`: a file called *.npy is an int32 array, flattened; any other is text, whose bytes are its tokens.
  /// Errors (InvalidInput): fewer than two tokens, text for a vocabulary below 256, a token outside the vocabulary
  /// (with its position).
  static adjrt::Expected<TrainingData> read(const std::string &path, std::int64_t vocabulary);

  /// Number of tokens.
  [[nodiscard]] std::int64_t size() const {
    return static_cast<std::int64_t>(text.empty() ? tokens.size() : text.size());
  }
  /// `batch` random windows of `length` inputs each (length below size()), a function of (seed, step).
  [[nodiscard]] adjrt::TokenStream sample(std::int64_t batch, std::int64_t length, std::uint64_t seed,
                                          std::int64_t step) const;

private:
  std::string text; ///< one of the two is empty: bytes stay bytes
  std::vector<std::int32_t> tokens;
};

} // namespace adjrun

#endif
