// Matrix products of operands in bf16.
#ifndef ADJRT_CPU_BF16GEMM_H
#define ADJRT_CPU_BF16GEMM_H

#include "Gemm.h"

namespace adjrt::cpu {

/// As gemm, of A and B in bf16: products of two bf16 are exact in f32, and sums are f32. `c` is f32, or bf16 when
/// `rounds`: every element is then rounded once, when its sum is complete. Tiles of A and B are widened, some hundred
/// terms at a time, and given to OpenBLAS.
void gemmBf16(ThreadPool &pool, const GemmShape &shape, const std::uint16_t *a, const std::uint16_t *b, void *c,
              bool rounds);

/// Make every thread's buffers.
void warmUpGemmBf16(ThreadPool &pool);

} // namespace adjrt::cpu

#endif
