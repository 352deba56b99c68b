// Token files: shapes, ranges, and what belongs together.
#include "adjrt/io/TokenStream.h"
#include "adjrt/io/Npy.h"
#include "adjrt/io/Shape.h"

#include <algorithm>

using namespace adjrt;

static constexpr std::int32_t kNotCounted = -100;

namespace {

/// What the elements of a file may be, and how one that may not is named.
struct TokenRange {
  std::int64_t vocabulary;
  bool targets; ///< -100 is one

  [[nodiscard]] bool holds(std::int32_t token) const {
    return (token >= 0 && token < vocabulary) || (targets && token == kNotCounted);
  }
  [[nodiscard]] std::string refuse(std::int32_t token) const {
    return (targets ? "target " : "token ") + std::to_string(token) + " is outside the vocabulary of " +
           std::to_string(vocabulary) + " (0 to " + std::to_string(vocabulary - 1) +
           (targets ? ", or -100 for a target that is not counted)" : ")");
  }
};

struct ResetRange {
  [[nodiscard]] static bool holds(std::uint8_t reset) { return reset <= 1; }
  [[nodiscard]] static std::string refuse(std::uint8_t reset) {
    return "reset " + std::to_string(reset) + " is neither 0 nor 1";
  }
};

/// Columns of a file from `column` on.
template <typename T, typename Range> class FileRows final : public RowSource<T> {
public:
  FileRows(std::shared_ptr<const NpyFile<T>> file, std::int64_t width, std::int64_t column, Range range)
      : file(std::move(file)), width(width), column(column), range(range),
        buffer(std::min(this->file->size(), static_cast<std::uint64_t>(kRowWindow))) {}

  Expected<std::span<const T>> window(std::int64_t row, std::int64_t first, std::int64_t count) override {
    const std::span<T> values = std::span(buffer).first(static_cast<std::size_t>(count));
    ADJ_RETURN_IF_ERROR(file->read(static_cast<std::uint64_t>(row * width + column + first), values));
    for (std::size_t i = 0; i != values.size(); ++i)
      if (!range.holds(values[i]))
        return invalidInput(file->path() + ": sequence " + std::to_string(row) + ", position " +
                            std::to_string(column + first + static_cast<std::int64_t>(i)) + ": " +
                            range.refuse(values[i]));
    return values;
  }

private:
  std::shared_ptr<const NpyFile<T>> file;
  std::int64_t width, column;
  Range range;
  std::vector<T> buffer;
};

/// Columns of an array in memory.
template <typename T> class MemoryRows final : public RowSource<T> {
public:
  MemoryRows(std::shared_ptr<const std::vector<T>> values, std::int64_t width, std::int64_t column)
      : values(std::move(values)), width(width), column(column) {}

  Expected<std::span<const T>> window(std::int64_t row, std::int64_t first, std::int64_t count) override {
    return std::span(*values).subspan(static_cast<std::size_t>(row * width + column + first),
                                      static_cast<std::size_t>(count));
  }

private:
  std::shared_ptr<const std::vector<T>> values;
  std::int64_t width, column;
};

/// A file's array as (batch, width).
template <typename T> struct RowFile {
  std::shared_ptr<const NpyFile<T>> file;
  std::int64_t width = 0;

  template <typename Range> std::unique_ptr<RowSource<T>> from(std::int64_t column, Range range) const {
    return std::make_unique<FileRows<T, Range>>(file, width, column, range);
  }
};

} // namespace

/// Opens a file; checks the batch. An array of (n) is one of (1, n).
template <typename T> static Expected<RowFile<T>> openRows(const std::string &path, std::int64_t batch) {
  ADJ_ASSIGN_OR_RETURN(NpyFile<T> file, NpyFile<T>::open(path));
  const std::vector<std::int64_t> &shape = file.shape();
  if (shape.size() != 1 && shape.size() != 2)
    return invalidInput(path + ": has shape " + printShape(shape) + ", expected (batch, tokens) or (tokens,)");
  const std::int64_t rows = shape.size() == 1 ? 1 : shape[0], width = shape.back();
  if (rows != batch)
    return invalidInput(path + ": has " + std::to_string(rows) + " sequences, the module was compiled for " +
                        std::to_string(batch) + "; compile it with --batch=" + std::to_string(rows) +
                        " or give an array of shape (" + std::to_string(batch) + ", tokens)");
  return RowFile<T>{std::make_shared<const NpyFile<T>>(std::move(file)), width};
}

template <typename T> static Status checkWidth(const RowFile<T> &rows, std::int64_t tokens, const std::string &ofFile) {
  if (rows.width == tokens)
    return {};
  return invalidInput(rows.file->path() + ": has " + std::to_string(rows.width) + " tokens a sequence, expected " +
                      std::to_string(tokens) + ", the number of inputs in " + ofFile);
}

/// Reads all of (batch, width), which checks it; `visit` is given every window.
template <typename T, typename Visit>
static Status readAll(RowSource<T> &rows, std::int64_t batch, std::int64_t width, Visit &&visit) {
  for (std::int64_t row = 0; row != batch; ++row)
    for (std::int64_t first = 0; first < width; first += kRowWindow) {
      ADJ_ASSIGN_OR_RETURN(const std::span<const T> values,
                           rows.window(row, first, std::min(kRowWindow, width - first)));
      visit(values);
    }
  return {};
}

Expected<TokenStream> TokenStream::read(const TokenFiles &files, const TokenLimits &limits) {
  const std::int64_t batch = limits.batch;
  const bool separate = !files.targets.empty();
  const auto ignore = [](const auto &) {};
  const TokenRange tokenRange{limits.vocabulary, false}, targetRange{limits.vocabulary, true};
  ADJ_ASSIGN_OR_RETURN(const auto tokenFile, openRows<std::int32_t>(files.tokens, batch));
  const std::int64_t tokens = tokenFile.width - (separate ? 0 : 1);
  if (tokens < 1)
    return invalidInput(files.tokens + ": has shape " + printShape(tokenFile.file->shape()) +
                        ", so no token to compute on; give at least " +
                        (separate ? "one token" : "two tokens, an input and its target"));
  if (limits.context > 0 && tokens > limits.context)
    return invalidInput(files.tokens + ": has " + std::to_string(tokens) +
                        " tokens, the module was planned for at most " + std::to_string(limits.context) +
                        "; compile it with --context=" + std::to_string(tokens) + " or more");
  auto inputs = tokenFile.from(0, tokenRange);
  ADJ_RETURN_IF_ERROR(readAll(*inputs, batch, tokenFile.width, ignore));
  std::unique_ptr<RowSource<std::int32_t>> targets;
  if (separate) {
    ADJ_ASSIGN_OR_RETURN(const auto targetFile, openRows<std::int32_t>(files.targets, batch));
    ADJ_RETURN_IF_ERROR(checkWidth(targetFile, tokens, files.tokens));
    targets = targetFile.from(0, targetRange);
    bool counted = false;
    ADJ_RETURN_IF_ERROR(readAll(*targets, batch, tokens, [&](std::span<const std::int32_t> values) {
      counted = counted || std::any_of(values.begin(), values.end(), [](auto target) { return target != kNotCounted; });
    }));
    if (!counted)
      return invalidInput(files.targets + ": every target is -100, so none is counted; give at least one target");
  } else {
    targets = tokenFile.from(1, tokenRange);
  }
  std::unique_ptr<RowSource<std::uint8_t>> resets;
  if (!files.resets.empty()) {
    ADJ_ASSIGN_OR_RETURN(const auto resetFile, openRows<std::uint8_t>(files.resets, batch));
    ADJ_RETURN_IF_ERROR(checkWidth(resetFile, tokens, files.tokens));
    resets = resetFile.from(0, ResetRange{});
    ADJ_RETURN_IF_ERROR(readAll(*resets, batch, tokens, ignore));
  }
  return TokenStream(batch, tokens, std::move(inputs), std::move(targets), std::move(resets));
}

TokenStream TokenStream::fromMemory(std::int64_t batch, std::int64_t tokens, std::vector<std::int32_t> stream,
                                    std::vector<std::uint8_t> resets) {
  const auto ids = std::make_shared<const std::vector<std::int32_t>>(std::move(stream));
  std::unique_ptr<RowSource<std::uint8_t>> flags;
  if (!resets.empty())
    flags = std::make_unique<MemoryRows<std::uint8_t>>(
        std::make_shared<const std::vector<std::uint8_t>>(std::move(resets)), tokens, 0);
  return TokenStream(batch, tokens, std::make_unique<MemoryRows<std::int32_t>>(ids, tokens + 1, 0),
                     std::make_unique<MemoryRows<std::int32_t>>(ids, tokens + 1, 1), std::move(flags));
}
