// adjrt/io/Npy.h - NumPy's .npy files (format versions 1, 2 and 3) of int32 and uint8 in C order.
#ifndef ADJRT_IO_NPY_H
#define ADJRT_IO_NPY_H

#include "adjrt/io/File.h"
#include "adjrt/support/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adjrt {

/// An array in C order in a file, read in pieces. T: std::int32_t or std::uint8_t.
template <typename T> class NpyFile {
public:
  /// Opens a file and reads its header. Errors (InvalidInput), each naming the file: not an .npy file, damaged header,
  /// another dtype, Fortran order, truncated, trailing bytes.
  static Expected<NpyFile> open(const std::string &path);

  [[nodiscard]] const std::string &path() const { return file.path(); }
  [[nodiscard]] const std::vector<std::int64_t> &shape() const { return extents; }
  /// Elements: the product of the shape.
  [[nodiscard]] std::uint64_t size() const { return count; }
  /// Fills `values` with the elements from `first` on, counted through the whole array. Errors: as InputFile::readAt.
  [[nodiscard]] Status read(std::uint64_t first, std::span<T> values) const {
    return file.readAt(start + first * sizeof(T), std::as_writable_bytes(values));
  }

private:
  NpyFile(InputFile file, std::vector<std::int64_t> extents, std::uint64_t start, std::uint64_t count)
      : file(std::move(file)), extents(std::move(extents)), start(start), count(count) {}
  static Expected<NpyFile> readHeader(InputFile file);

  InputFile file;
  std::vector<std::int64_t> extents;
  std::uint64_t start = 0, count = 0; ///< where the elements begin, in bytes; how many there are
};

/// Writes a version 1 file. `values` has as many elements as `shape` says.
Status writeNpy(const std::string &path, std::span<const std::int64_t> shape, std::span<const std::int32_t> values);
Status writeNpy(const std::string &path, std::span<const std::int64_t> shape, std::span<const std::uint8_t> values);

} // namespace adjrt

#endif
