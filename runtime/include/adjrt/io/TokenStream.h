// adjrt/io/TokenStream.h - the tokens, targets and resets of one call, from their files, each in memory once.
#ifndef ADJRT_IO_TOKENSTREAM_H
#define ADJRT_IO_TOKENSTREAM_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adjrt {

/// Paths of the .npy files of a call; targets and resets may be empty.
struct TokenFiles {
  std::string tokens;  ///< int32 (batch, T+1), or (batch, T) when there are targets
  std::string targets; ///< int32 (batch, T); -100 is not counted
  std::string resets;  ///< uint8 (batch, T); 1 where a document begins
};

/// What the files are held against.
struct TokenLimits {
  std::int64_t batch = 1;
  std::int64_t vocabulary = 0;
  std::int64_t context = 0; ///< longest T; 0: no limit
};

/// `batch` sequences of `tokens` inputs and targets. Row b of the inputs starts at inputs() + b * inputStride, in
/// elements.
class TokenStream {
public:
  /// Reads and checks. Errors (InvalidInput) name the file, and sequence and position: wrong shapes, no tokens, T above
  /// the context, a token or target outside the vocabulary, no counted target, a reset that is neither 0 nor 1.
  static Expected<TokenStream> read(const TokenFiles &files, const TokenLimits &limits);
  /// Takes tokens made otherwise: `stream` has batch * (tokens + 1) elements, inputs and targets overlapping as in a
  /// file; `resets` batch * tokens or none.
  static TokenStream fromMemory(std::int64_t batch, std::int64_t tokens, std::vector<std::int32_t> stream,
                                std::vector<std::uint8_t> resets = {});

  std::int64_t batch = 1;
  std::int64_t tokens = 0; ///< T
  std::int64_t inputStride = 0, targetStride = 0;

  [[nodiscard]] const std::int32_t *inputs() const { return stream.data(); }
  [[nodiscard]] const std::int32_t *targets() const {
    return ownTargets.empty() ? stream.data() + 1 : ownTargets.data();
  }
  /// (batch, T), or null without resets.
  [[nodiscard]] const std::uint8_t *resets() const { return resetFlags.empty() ? nullptr : resetFlags.data(); }

private:
  std::vector<std::int32_t> stream, ownTargets;
  std::vector<std::uint8_t> resetFlags;
};

} // namespace adjrt

#endif
