// Opening .npy files.
#include "NpyHeader.h"
#include "adjrt/io/Npy.h"
#include "adjrt/io/Shape.h"

#include <array>
#include <cstring>

using namespace adjrt;

namespace {
constexpr std::array<unsigned char, 6> kNpyMagic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
/// No array of ours needs more; it bounds what a damaged length makes us allocate.
constexpr std::uint64_t kLongestNpyHeader = 1 << 16;

template <typename T> struct TypeName;
template <> struct TypeName<std::int32_t> {
  static bool matches(const std::string &descr) { return descr == "<i4"; }
  static constexpr const char *name = "int32";
};
template <> struct TypeName<std::uint8_t> {
  static bool matches(const std::string &descr) { return descr == "|u1" || descr == "<u1" || descr == "u1"; }
  static constexpr const char *name = "uint8";
};
} // namespace

template <typename T> Expected<NpyFile<T>> NpyFile<T>::readHeader(InputFile file) {
  std::array<unsigned char, 12> prefix{};
  if (file.size() < 10)
    return invalidInput("is not an .npy file: it has only " + std::to_string(file.size()) +
                        " bytes; write it with numpy.save");
  ADJ_RETURN_IF_ERROR(file.readAt(0, std::as_writable_bytes(std::span(prefix).first(file.size() < 12 ? 10 : 12))));
  if (std::memcmp(prefix.data(), kNpyMagic.data(), kNpyMagic.size()) != 0)
    return invalidInput("is not an .npy file: its first bytes are not NumPy's magic; write it with numpy.save");
  unsigned version = prefix[6];
  if (version < 1 || version > 3 || prefix[7] != 0)
    return invalidInput("has .npy format version " + std::to_string(version) + "." + std::to_string(prefix[7]) +
                        "; versions 1.0, 2.0 and 3.0 are read");
  std::uint64_t start = version == 1 ? 10 : 12;
  std::uint64_t length = prefix[8] | std::uint64_t{prefix[9]} << 8;
  if (version > 1)
    length |= std::uint64_t{prefix[10]} << 16 | std::uint64_t{prefix[11]} << 24;
  if (length > kLongestNpyHeader || start + length > file.size())
    return invalidInput("is damaged or truncated: its header should have " + std::to_string(length) +
                        " bytes, the file has " + std::to_string(file.size()));
  std::string text(length, '\0');
  ADJ_RETURN_IF_ERROR(file.readAt(start, std::as_writable_bytes(std::span(text))));
  ADJ_ASSIGN_OR_RETURN(NpyHeader header, parseNpyHeader(text));
  std::string wanted = TypeName<T>::name;
  if (!TypeName<T>::matches(header.descr))
    return invalidInput("holds elements of type '" + header.descr + "', expected " + wanted +
                        "; convert it with array.astype(numpy." + wanted + ")");
  if (header.fortranOrder)
    return invalidInput("is in Fortran order; convert it with numpy.ascontiguousarray");
  std::optional<std::uint64_t> size = sizeOf(header.shape, sizeof(T));
  if (!size)
    return invalidInput("is damaged: the size of shape " + printShape(header.shape) + " overflows");
  std::uint64_t present = file.size() - start - length;
  if (present != *size)
    return invalidInput(std::string(present < *size ? "is truncated" : "has trailing bytes") + ": shape " +
                        printShape(header.shape) + " of " + wanted + " takes " + std::to_string(*size) +
                        " bytes, the file has " + std::to_string(present) + " after its header");
  return NpyFile(std::move(file), std::move(header.shape), start + length, *size / sizeof(T));
}

template <typename T> Expected<NpyFile<T>> NpyFile<T>::open(const std::string &path) {
  ADJ_ASSIGN_OR_RETURN(InputFile file, InputFile::open(path));
  Expected<NpyFile> opened = readHeader(std::move(file));
  if (!opened && opened.error().message.rfind(path, 0) != 0)
    return tl::unexpected(opened.error().in(path));
  return opened;
}

template class adjrt::NpyFile<std::int32_t>;
template class adjrt::NpyFile<std::uint8_t>;
