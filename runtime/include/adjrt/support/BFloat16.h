// adjrt/support/BFloat16.h - bf16, the upper half of an f32.
#ifndef ADJRT_SUPPORT_BFLOAT16_H
#define ADJRT_SUPPORT_BFLOAT16_H

#include <bit>
#include <cstdint>

namespace adjrt {

/// Exact.
inline float widenBFloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// To nearest, ties to even; what is beyond the largest number becomes infinite, and NaN stays NaN. As kernels round.
inline std::uint16_t roundToBFloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool isNaN = (bits & 0x7fffffffu) > 0x7f800000u;
  return static_cast<std::uint16_t>(isNaN ? 0x7fc0u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/// The bf16 nearest to `value`, as an f32.
inline float nearestBFloat16(float value) { return widenBFloat16(roundToBFloat16(value)); }

} // namespace adjrt

#endif
