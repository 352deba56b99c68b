// Writing .npy files.
#include "adjrt/io/File.h"
#include "adjrt/io/Npy.h"
#include "adjrt/io/Shape.h"

using namespace adjrt;

static Status write(const std::string &path, std::span<const std::int64_t> shape, const char *descr,
                    std::span<const std::byte> data, std::int64_t elementSize) {
  if (sizeOf(shape, elementSize) != data.size())
    return invalidInput(path + ": shape " + printShape(shape) + " does not hold the " + std::to_string(data.size()) +
                        " bytes given");
  std::string dict =
      std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': " + printShape(shape) + ", }";
  // The format asks for data at a multiple of 64 bytes, and for a line feed before it.
  std::size_t length = dict.size() + 1;
  length += (64 - (10 + length) % 64) % 64;
  dict.resize(length - 1, ' ');
  std::string head = "\x93NUMPY";
  head += {1, 0, static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  head += dict + "\n";
  ADJ_ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  ADJ_RETURN_IF_ERROR(file.writeAt(0, std::as_bytes(std::span(head))));
  ADJ_RETURN_IF_ERROR(file.writeAt(head.size(), data));
  return file.commit();
}

Status adjrt::writeNpy(const std::string &path, std::span<const std::int64_t> shape,
                       std::span<const std::int32_t> values) {
  return write(path, shape, "<i4", std::as_bytes(values), sizeof(std::int32_t));
}
Status adjrt::writeNpy(const std::string &path, std::span<const std::int64_t> shape,
                       std::span<const std::uint8_t> values) {
  return write(path, shape, "|u1", std::as_bytes(values), sizeof(std::uint8_t));
}
