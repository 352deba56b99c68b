// Gemm.h - the float64 matrix product of the reference device.
#ifndef ADJRT_REFERENCE_GEMM_H
#define ADJRT_REFERENCE_GEMM_H

#include <cstdint>

namespace adjrt::reference {

enum class Transpose { No, Yes };

/// C[m,n] += op(A)[m,k] op(B)[k,n], all dense row-major: A is stored (m,k), or (k,m) when transposed; B (k,n), or
/// (n,k). Every element of C is summed in one order, whatever `threads` is.
void gemm(unsigned threads, std::int64_t m, std::int64_t n, std::int64_t k, const double *a, Transpose transposeA,
          const double *b, Transpose transposeB, double *c);

} // namespace adjrt::reference

#endif
