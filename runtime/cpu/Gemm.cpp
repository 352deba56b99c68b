#include "Gemm.h"

#include <algorithm>
#include <cblas.h>
#include <vector>

namespace adjrt::cpu {
namespace {

constexpr std::int64_t kMostRows = 256, kMostColumns = 512, kFewestRows = 32, kFewestColumns = 64;
/// Enough tiles to keep a large machine's threads busy ...
constexpr std::int64_t kWantedTiles = 64;
/// ... as long as a tile is worth handing to a thread: multiply-adds.
constexpr std::int64_t kLeastWork = std::int64_t(1) << 20;

std::int64_t ceilDiv(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

} // namespace

GemmTile gemmTile(std::int64_t m, std::int64_t n, std::int64_t k) {
  GemmTile tile{std::min(m, kMostRows), std::min(n, kMostColumns)};
  while (ceilDiv(m, tile.rows) * ceilDiv(n, tile.columns) < kWantedTiles &&
         tile.rows * tile.columns * k >= 2 * kLeastWork) {
    // Halve the longer side, but not below what OpenBLAS is efficient at.
    if (tile.rows > kFewestRows && (tile.rows >= tile.columns / 2 || tile.columns <= kFewestColumns))
      tile.rows = std::max(kFewestRows, tile.rows / 2);
    else if (tile.columns > kFewestColumns)
      tile.columns = std::max(kFewestColumns, tile.columns / 2);
    else
      break;
  }
  return tile;
}

void gemm(ThreadPool &pool, const GemmShape &shape, const float *a, const float *b, float *c) {
  const GemmTile tile = gemmTile(shape.m, shape.n, shape.k);
  const std::int64_t across = ceilDiv(shape.n, tile.columns);
  pool.run(static_cast<std::uint64_t>(ceilDiv(shape.m, tile.rows) * across), [&](std::uint64_t task) {
    const std::int64_t row = static_cast<std::int64_t>(task) / across * tile.rows;
    const std::int64_t column = static_cast<std::int64_t>(task) % across * tile.columns;
    const std::int64_t rows = std::min(tile.rows, shape.m - row), columns = std::min(tile.columns, shape.n - column);
    cblas_sgemm(CblasRowMajor, shape.transposeA ? CblasTrans : CblasNoTrans,
                shape.transposeB ? CblasTrans : CblasNoTrans, static_cast<blasint>(rows), static_cast<blasint>(columns),
                static_cast<blasint>(shape.k), 1.0f, a + (shape.transposeA ? row : row * shape.lda),
                static_cast<blasint>(shape.lda), b + (shape.transposeB ? column * shape.ldb : column),
                static_cast<blasint>(shape.ldb), shape.accumulate ? 1.0f : 0.0f, c + row * shape.ldc + column,
                static_cast<blasint>(shape.ldc));
  });
}

void warmUpGemm(ThreadPool &pool) {
  openblas_set_num_threads(1);
  const std::int64_t k = kMostColumns;
  const std::vector<float> a(static_cast<std::size_t>(kMostRows * k)), b(static_cast<std::size_t>(k * kMostColumns));
  // One result for all threads, who write the same zeros: one of its own for each would be the peak of a small run.
  std::vector<float> c(static_cast<std::size_t>(kMostRows * kMostColumns));
  const unsigned threads = pool.threads();
  std::atomic<unsigned> arrived{0};
  pool.run(threads, [&](std::uint64_t) {
    // One task per thread: none goes on before all have begun.
    arrived.fetch_add(1);
    while (arrived.load() < threads)
      std::this_thread::yield();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kMostRows, kMostColumns, static_cast<blasint>(k), 1.0f,
                a.data(), static_cast<blasint>(k), b.data(), kMostColumns, 0.0f, c.data(), kMostColumns);
  });
}

std::string gemmKernelName() { return openblas_get_corename(); }

} // namespace adjrt::cpu
