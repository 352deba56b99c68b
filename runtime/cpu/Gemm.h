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

/// Rows and columns of a tile of C.
struct GemmTile {
  std::int64_t rows, columns;
};

/// The tile of a product, a function of its shape alone, so that neither the number of threads nor the machine's number
/// of processors decides a bit: large tiles pack less, many keep all processors busy.
GemmTile gemmTile(std::int64_t m, std::int64_t n, std::int64_t k);

void gemm(ThreadPool &pool, const GemmShape &shape, const float *a, const float *b, float *c);

/// Make OpenBLAS single-threaded and run one product on every thread at once, so that its buffers exist.
void warmUpGemm(ThreadPool &pool);

/// Which of its kernels OpenBLAS uses on this machine.
std::string gemmKernelName();

} // namespace adjrt::cpu

#endif
