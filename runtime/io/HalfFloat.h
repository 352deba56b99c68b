// The two 16-bit floating-point formats, widened to f32 exactly.
#ifndef ADJRT_IO_HALFFLOAT_H
#define ADJRT_IO_HALFFLOAT_H

#include "adjrt/support/BFloat16.h"

namespace adjrt {

inline float widenFloat16(std::uint16_t bits) {
  std::uint32_t sign = std::uint32_t{bits} >> 15 << 31;
  std::uint32_t exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  if (exponent == 0) { // zero, or a subnormal: mantissa * 2^-24, exact in f32
    float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  std::uint32_t wide = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

} // namespace adjrt

#endif
