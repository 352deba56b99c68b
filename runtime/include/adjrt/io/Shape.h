// adjrt/io/Shape.h - the sizes of arrays in files: printed and multiplied without overflow.
#ifndef ADJRT_IO_SHAPE_H
#define ADJRT_IO_SHAPE_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace adjrt {

/// "(2, 3)", "(5,)", "()": as NumPy prints it.
inline std::string printShape(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i != shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

/// `unit` times the product of `shape`, or nothing when a size is negative or the product does not fit in 63 bits.
inline std::optional<std::uint64_t> sizeOf(std::span<const std::int64_t> shape, std::int64_t unit) {
  std::int64_t size = unit;
  bool overflow = false, empty = false;
  for (std::int64_t extent : shape) {
    if (extent < 0)
      return std::nullopt;
    empty |= extent == 0;
    overflow |= !empty && __builtin_mul_overflow(size, extent, &size);
  }
  if (empty)
    return 0;
  if (overflow)
    return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

} // namespace adjrt

#endif
