// Opening and reading one .safetensors file.
#include "HalfFloat.h"
#include "SafetensorsHeader.h"
#include "adjrt/io/Shape.h"

#include <algorithm>
#include <array>
#include <memory>

using namespace adjrt;

/// The format's own limit; it bounds what a damaged length makes us allocate.
static constexpr std::uint64_t kLongestSafetensorsHeader = 100'000'000;

static Expected<std::vector<SafetensorsEntry>> readHeader(const InputFile &file) {
  if (file.size() < 8)
    return invalidInput("is no .safetensors file or truncated: it has " + std::to_string(file.size()) + " bytes");
  std::array<std::uint8_t, 8> prefix{};
  ADJ_RETURN_IF_ERROR(file.readAt(0, std::as_writable_bytes(std::span(prefix))));
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | prefix[static_cast<std::size_t>(i)];
  if (length > kLongestSafetensorsHeader || length > file.size() - 8)
    return invalidInput("is no .safetensors file, damaged or truncated: its header should have " +
                        std::to_string(length) + " bytes, the file has " + std::to_string(file.size()));
  std::string text(length, '\0');
  ADJ_RETURN_IF_ERROR(file.readAt(8, std::as_writable_bytes(std::span(text))));
  return parseSafetensorsHeader(text, 8 + length, file.size() - 8 - length);
}

Expected<SafetensorsFile> SafetensorsFile::open(const std::string &path) {
  ADJ_ASSIGN_OR_RETURN(InputFile file, InputFile::open(path));
  auto entries = readHeader(file);
  if (!entries)
    return tl::unexpected(entries.error().in(path));
  return SafetensorsFile(std::move(file), std::move(*entries));
}

const SafetensorsEntry *SafetensorsFile::find(const std::string &name) const {
  auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto &entry) { return entry.tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

Status SafetensorsFile::read(const SafetensorsEntry &entry, std::span<float> destination, std::uint64_t first) const {
  auto place = [&] { return path() + ": tensor '" + entry.tensor.name + "' "; };
  bool bfloat = entry.dtype == "BF16";
  if (entry.dtype != "F32" && entry.dtype != "F16" && !bfloat)
    return invalidInput(place() + "has dtype " + entry.dtype + "; F32, BF16 and F16 are read");
  std::uint64_t width = entry.dtype == "F32" ? 4 : 2;
  std::uint64_t elements = (entry.end - entry.begin) / width;
  if (first > elements || destination.size() > elements - first)
    return invalidInput(place() + "has " + std::to_string(elements) + " elements, expected " +
                        std::to_string(first + destination.size()));
  std::uint64_t begin = entry.begin + first * width;
  if (width == 4)
    return file.readAt(begin, std::as_writable_bytes(destination));
  std::vector<std::uint16_t> piece(std::min<std::size_t>(destination.size(), 1 << 18));
  for (std::size_t done = 0; done < destination.size(); done += piece.size()) {
    std::span<std::uint16_t> part(piece.data(), std::min(piece.size(), destination.size() - done));
    ADJ_RETURN_IF_ERROR(file.readAt(begin + 2 * done, std::as_writable_bytes(part)));
    std::transform(part.begin(), part.end(), destination.begin() + static_cast<std::ptrdiff_t>(done),
                   bfloat ? widenBFloat16 : widenFloat16);
  }
  return {};
}
