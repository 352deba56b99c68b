// f32 matrix products: single-threaded OpenBLAS on tiles of the result.
#ifndef ADJRT_CPU_GEMM_H
#define ADJRT_CPU_GEMM_H

#include "ThreadPool.h"

#include <cstdint>
#include <string>

namespace adjrt::cpu {

/// Row-major C[m,n] = op(A)[m,k] op(B)[k,n] (+ C when `accumulate`); ld*: elements between rows of the stored matrices.
struct GemmShape {
  std::int64_t m, n, k;
  std::int64_t lda, ldb, ldc;
  bool transposeA, transposeB, accumulate;
};

/// Rows and columns of a tile of C. A function of the shape alone, so that no bit depends on the number of threads.
struct GemmTile {
  std::int64_t rows, columns;
};
GemmTile gemmTile(std::int64_t m, std::int64_t n, std::int64_t k);

void gemm(ThreadPool &pool, const GemmShape &shape, const float *a, const float *b, float *c);

/// Make OpenBLAS single-threaded and run one largest tile on every thread at once, so that its buffers exist and are
/// resident.
void warmUpGemm(ThreadPool &pool);

/// Which of its kernels OpenBLAS uses on this machine.
std::string gemmKernelName();

} // namespace adjrt::cpu

#endif
