// Numbers below the smallest normal float are zero: arithmetic on them costs a hundred times as much.
#ifndef ADJRT_CPU_FLUSHDENORMALS_H
#define ADJRT_CPU_FLUSHDENORMALS_H

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace adjrt::cpu {

/// While it lives, the calling thread reads and writes denormal floats as zeros. Probabilities of a large vocabulary,
/// and cotangents made of them, are full of such numbers.
class FlushDenormals {
public:
#if defined(__x86_64__)
  FlushDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | kFlushToZero | kDenormalsAreZero); }
  ~FlushDenormals() { _mm_setcsr(before); }
#else
  FlushDenormals() = default;
#endif
  FlushDenormals(const FlushDenormals &) = delete;
  FlushDenormals &operator=(const FlushDenormals &) = delete;

private:
#if defined(__x86_64__)
  static constexpr unsigned kFlushToZero = 1u << 15, kDenormalsAreZero = 1u << 6;
  unsigned before;
#endif
};

} // namespace adjrt::cpu

#endif
