#include "Bf16Gemm.h"
#include "adjrt/support/BFloat16.h"

#include <algorithm>
#include <cblas.h>
#include <vector>

namespace adjrt::cpu {
namespace {

/// The most rows, columns and terms that are widened at a time: what a thread keeps for them stays in its cache, and is
/// small beside the process (kBf16ProcessBytes in adjc/Plan/Plan.h is four threads' buffers).
constexpr std::int64_t kRows = 256, kColumns = 512, kTerms = 256;

/// A thread's panels of A and B, and its tile of C, in f32.
struct Buffers {
  std::vector<float> a = std::vector<float>(kRows * kTerms), b = std::vector<float>(kTerms * kColumns),
                     c = std::vector<float>(kRows * kColumns);
};

Buffers &buffers() {
  thread_local Buffers mine;
  return mine;
}

/// `rows` x `columns` elements, packed.
void widen(const std::uint16_t *source, std::int64_t stride, std::int64_t rows, std::int64_t columns, float *result) {
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      result[row * columns + column] = widenBFloat16(source[row * stride + column]);
}

/// One tile of C: `c` is its first element when it is f32, and the thread's own tile otherwise.
void multiplyTile(const GemmShape &shape, const std::uint16_t *a, const std::uint16_t *b, std::int64_t row,
                  std::int64_t column, std::int64_t rows, std::int64_t columns, float *c, std::int64_t ldc) {
  Buffers &mine = buffers();
  for (std::int64_t first = 0; first < shape.k; first += kTerms) {
    const std::int64_t terms = std::min(kTerms, shape.k - first);
    if (shape.transposeA)
      widen(a + first * shape.lda + row, shape.lda, terms, rows, mine.a.data());
    else
      widen(a + row * shape.lda + first, shape.lda, rows, terms, mine.a.data());
    if (shape.transposeB)
      widen(b + column * shape.ldb + first, shape.ldb, columns, terms, mine.b.data());
    else
      widen(b + first * shape.ldb + column, shape.ldb, terms, columns, mine.b.data());
    cblas_sgemm(CblasRowMajor, shape.transposeA ? CblasTrans : CblasNoTrans,
                shape.transposeB ? CblasTrans : CblasNoTrans, static_cast<blasint>(rows), static_cast<blasint>(columns),
                static_cast<blasint>(terms), 1.0f, mine.a.data(), static_cast<blasint>(shape.transposeA ? rows : terms),
                mine.b.data(), static_cast<blasint>(shape.transposeB ? terms : columns),
                first > 0 || shape.accumulate ? 1.0f : 0.0f, c, static_cast<blasint>(ldc));
  }
}

} // namespace

void gemmBf16(ThreadPool &pool, const GemmShape &shape, const std::uint16_t *a, const std::uint16_t *b, void *c,
              bool rounds) {
  GemmTile tile = gemmTile(shape.m, shape.n, shape.k);
  tile = {std::min(tile.rows, kRows), std::min(tile.columns, kColumns)};
  const std::int64_t down = (shape.m + tile.rows - 1) / tile.rows, across = (shape.n + tile.columns - 1) / tile.columns;
  pool.run(static_cast<std::uint64_t>(down * across), [&](std::uint64_t task) {
    const std::int64_t row = static_cast<std::int64_t>(task) / across * tile.rows;
    const std::int64_t column = static_cast<std::int64_t>(task) % across * tile.columns;
    const std::int64_t rows = std::min(tile.rows, shape.m - row), columns = std::min(tile.columns, shape.n - column);
    if (!rounds)
      return multiplyTile(shape, a, b, row, column, rows, columns, static_cast<float *>(c) + row * shape.ldc + column,
                          shape.ldc);
    float *sums = buffers().c.data();
    std::uint16_t *result = static_cast<std::uint16_t *>(c) + row * shape.ldc + column;
    if (shape.accumulate)
      widen(result, shape.ldc, rows, columns, sums);
    multiplyTile(shape, a, b, row, column, rows, columns, sums, columns);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        result[i * shape.ldc + j] = roundToBFloat16(sums[i * columns + j]);
  });
}

void warmUpGemmBf16(ThreadPool &pool) {
  const unsigned threads = pool.threads();
  std::atomic<unsigned> arrived{0};
  pool.run(threads, [&](std::uint64_t) {
    buffers();
    // One task per thread: none goes on before all have begun.
    arrived.fetch_add(1);
    while (arrived.load() < threads)
      std::this_thread::yield();
  });
}

} // namespace adjrt::cpu
