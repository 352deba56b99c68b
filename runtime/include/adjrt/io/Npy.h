// adjrt/io/Npy.h - NumPy's .npy files (format versions 1, 2 and 3) of int32 and uint8 in C order.
#ifndef ADJRT_IO_NPY_H
#define ADJRT_IO_NPY_H

#include "adjrt/support/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adjrt {

/// An array in C order: values.size() is the product of `shape`.
template <typename T> struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// Reads a whole file into one buffer. Errors (InvalidInput), each naming the file: not an .npy file, damaged header,
/// another dtype, Fortran order, truncated, trailing bytes.
Expected<NpyArray<std::int32_t>> readNpyInt32(const std::string &path);
Expected<NpyArray<std::uint8_t>> readNpyUInt8(const std::string &path);

/// Writes a version 1 file. `values` has as many elements as `shape` says.
Status writeNpy(const std::string &path, std::span<const std::int64_t> shape, std::span<const std::int32_t> values);
Status writeNpy(const std::string &path, std::span<const std::int64_t> shape, std::span<const std::uint8_t> values);

} // namespace adjrt

#endif
