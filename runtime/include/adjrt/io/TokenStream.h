// adjrt/io/TokenStream.h - the tokens, targets and resets of one call: read from their files window by window, so that
// a sequence of any length takes the memory of a few windows.
#ifndef ADJRT_IO_TOKENSTREAM_H
#define ADJRT_IO_TOKENSTREAM_H

#include "adjrt/support/RowSource.h"
#include "adjrt/support/Status.h"

#include <cstdint>
#include <memory>
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

/// `batch` sequences of `tokens` inputs and targets.
class TokenStream {
public:
  /// Opens the files and reads them once, to check them. Errors (InvalidInput) name the file, and sequence and
  /// position: wrong shapes, no tokens, T above the context, a token or target outside the vocabulary, no counted
  /// target, a reset that is neither 0 nor 1. Windows that are read later are checked again: a file may have changed.
  static Expected<TokenStream> read(const TokenFiles &files, const TokenLimits &limits);
  /// Takes tokens made otherwise: `stream` has batch * (tokens + 1) elements, inputs and targets overlapping as in a
  /// file; `resets` batch * tokens or none.
  static TokenStream fromMemory(std::int64_t batch, std::int64_t tokens, std::vector<std::int32_t> stream,
                                std::vector<std::uint8_t> resets = {});
  /// Takes (batch, tokens) inputs and targets and, when there are any, resets.
  TokenStream(std::int64_t batch, std::int64_t tokens, std::unique_ptr<RowSource<std::int32_t>> inputs,
              std::unique_ptr<RowSource<std::int32_t>> targets, std::unique_ptr<RowSource<std::uint8_t>> resets)
      : batch(batch), tokens(tokens), inputRows(std::move(inputs)), targetRows(std::move(targets)),
        resetRows(std::move(resets)) {}

  std::int64_t batch = 1;
  std::int64_t tokens = 0; ///< T

  [[nodiscard]] RowSource<std::int32_t> &inputs() const { return *inputRows; }
  [[nodiscard]] RowSource<std::int32_t> &targets() const { return *targetRows; }
  /// Null without resets.
  [[nodiscard]] RowSource<std::uint8_t> *resets() const { return resetRows.get(); }

private:
  std::unique_ptr<RowSource<std::int32_t>> inputRows, targetRows;
  std::unique_ptr<RowSource<std::uint8_t>> resetRows;
};

} // namespace adjrt

#endif
