#include "Gemm.h"

#include "Parallel.h"

#include <algorithm>
#include <vector>

namespace adjrt::reference {
namespace {

// A panel of B (kPanelK x kPanelN, 256 KiB) is packed once and used for all rows; tiles of C of kTileM x kTileN stay in
// registers.
constexpr std::int64_t kTileM = 4, kTileN = 8, kPanelK = 256, kPanelN = 128;

/// c[i][j] += sum_p a[p][i] b[p][j], a packed (k, kTileM), b packed (k, kTileN); only rows x columns of c are stored.
[[gnu::always_inline]] inline void tile(std::int64_t k, const double *__restrict a, const double *__restrict b,
                                        double *__restrict c, std::int64_t ldc, std::int64_t rows,
                                        std::int64_t columns) {
  double sum[kTileM][kTileN] = {};
  for (std::int64_t p = 0; p < k; ++p)
    for (std::int64_t i = 0; i < kTileM; ++i)
      for (std::int64_t j = 0; j < kTileN; ++j)
        sum[i][j] += a[p * kTileM + i] * b[p * kTileN + j];
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      c[i * ldc + j] += sum[i][j];
}

using TileFunction = void (*)(std::int64_t, const double *, const double *, double *, std::int64_t, std::int64_t,
                              std::int64_t);

void tileBaseline(std::int64_t k, const double *a, const double *b, double *c, std::int64_t ldc, std::int64_t rows,
                  std::int64_t columns) {
  tile(k, a, b, c, ldc, rows, columns);
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void tileAvx2(std::int64_t k, const double *a, const double *b, double *c, std::int64_t ldc,
                                          std::int64_t rows, std::int64_t columns) {
  tile(k, a, b, c, ldc, rows, columns);
}
#endif

TileFunction chooseTile() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return tileAvx2;
#endif
  return tileBaseline;
}

struct Matrix {
  const double *data;
  std::int64_t rowStride, columnStride;
  [[nodiscard]] double at(std::int64_t i, std::int64_t j) const { return data[i * rowStride + j * columnStride]; }
};

/// Rows [0, m) of C, columns [firstColumn, lastColumn).
void multiply(std::int64_t m, std::int64_t firstColumn, std::int64_t lastColumn, std::int64_t k, Matrix a, Matrix b,
              double *c, std::int64_t ldc) {
  static const TileFunction tileFunction = chooseTile();
  std::vector<double> packedB(kPanelK * kPanelN), packedA(kPanelK * kTileM);
  for (std::int64_t j0 = firstColumn; j0 < lastColumn; j0 += kPanelN) {
    std::int64_t columns = std::min(kPanelN, lastColumn - j0);
    for (std::int64_t p0 = 0; p0 < k; p0 += kPanelK) {
      std::int64_t depth = std::min(kPanelK, k - p0);
      for (std::int64_t j = 0; j < columns; j += kTileN)
        for (std::int64_t p = 0; p < depth; ++p)
          for (std::int64_t jj = 0; jj < kTileN; ++jj)
            packedB[(j / kTileN * depth + p) * kTileN + jj] = j + jj < columns ? b.at(p0 + p, j0 + j + jj) : 0;
      for (std::int64_t i = 0; i < m; i += kTileM) {
        std::int64_t rows = std::min(kTileM, m - i);
        for (std::int64_t p = 0; p < depth; ++p)
          for (std::int64_t ii = 0; ii < kTileM; ++ii)
            packedA[p * kTileM + ii] = ii < rows ? a.at(i + ii, p0 + p) : 0;
        for (std::int64_t j = 0; j < columns; j += kTileN)
          tileFunction(depth, packedA.data(), &packedB[j / kTileN * depth * kTileN], c + i * ldc + j0 + j, ldc, rows,
                       std::min(kTileN, columns - j));
      }
    }
  }
}

} // namespace

void gemm(unsigned threads, std::int64_t m, std::int64_t n, std::int64_t k, const double *a, Transpose transposeA,
          const double *b, Transpose transposeB, double *c) {
  Matrix matrixA = transposeA == Transpose::No ? Matrix{a, k, 1} : Matrix{a, 1, m};
  Matrix matrixB = transposeB == Transpose::No ? Matrix{b, n, 1} : Matrix{b, 1, k};
  double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (n >= m) {
    parallelFor(threads, n, work,
                [&](std::int64_t first, std::int64_t last) { multiply(m, first, last, k, matrixA, matrixB, c, n); });
    return;
  }
  parallelFor(threads, m, work, [&](std::int64_t first, std::int64_t last) {
    Matrix rows = matrixA;
    rows.data += first * rows.rowStride;
    multiply(last - first, 0, n, k, rows, matrixB, c + first * n, n);
  });
}

} // namespace adjrt::reference
