#include "Gemm.h"

#include <algorithm>
#include <cblas.h>
#include <limits>
#include <vector>

namespace adjrt::cpu {
namespace {

/// Sides of tiles are multiples of these: OpenBLAS's kernels compute 4 rows of 16, 32 or 64 columns at a time.
constexpr std::int64_t kRowStep = 16, kColumnStep = 64;
/// What OpenBLAS spends on packing an element of A or B, what a call costs beside that, and what waking the other
/// threads does, in multiply-adds. Measured with its SkylakeX kernels: tiles of 64 x 256 run at 0.55 of the speed of a
/// whole product, 256 x 512 at 0.8, 512 x 768 at 0.93.
constexpr double kPackCost = 40, kCallCost = 1e5, kWakeCost = 2e5;
/// How many processors tiles are made for, whatever the machine has: 2, 4 and 8 share them evenly. Tiles for 16 took 2
/// cores a tenth longer, since the head's weight cotangent packs its long sums more often; more processors than these
/// share the large products alone.
constexpr std::int64_t kProcessors = 8;
/// Into how many parts a side may be cut.
constexpr std::int64_t kCuts[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128};
/// OpenBLAS packs all rows of a tile, for some hundred of the sum's terms, into a buffer of its own: the memory of a
/// thread, at most 2 MB.
constexpr std::int64_t kMostRows = 1024;
/// The product that warms up: what a small model's tiles need. Larger ones' buffers are nothing beside their arena.
constexpr std::int64_t kWarmRows = 256, kWarmColumns = 512;

std::int64_t ceilDiv(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t part(std::int64_t side, std::int64_t cuts, std::int64_t step) {
  return std::min(side, ceilDiv(ceilDiv(side, cuts), step) * step);
}

} // namespace

GemmTile gemmTile(std::int64_t m, std::int64_t n, std::int64_t k) {
  GemmTile best{m, n};
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t down : kCuts)
    for (std::int64_t across : kCuts) {
      const GemmTile tile{std::min(kMostRows, part(m, down, kRowStep)), part(n, across, kColumnStep)};
      const std::int64_t tiles = ceilDiv(m, tile.rows) * ceilDiv(n, tile.columns);
      const auto rounds = static_cast<double>(ceilDiv(tiles, kProcessors));
      const auto rows = static_cast<double>(tile.rows), columns = static_cast<double>(tile.columns);
      const double work = (rows * columns + kPackCost * (rows + columns)) * static_cast<double>(k);
      const double cost = rounds * (work + kCallCost) + (tiles > 1 ? kWakeCost : 0);
      if (cost < least) {
        least = cost;
        best = tile;
      }
    }
  return best;
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
  const std::int64_t k = kWarmColumns;
  const std::vector<float> a(static_cast<std::size_t>(kWarmRows * k)), b(static_cast<std::size_t>(k * kWarmColumns));
  // One result for all threads, who write the same zeros: one of its own for each would be the peak of a small run.
  std::vector<float> c(static_cast<std::size_t>(kWarmRows * kWarmColumns));
  const unsigned threads = pool.threads();
  std::atomic<unsigned> arrived{0};
  pool.run(threads, [&](std::uint64_t) {
    // One task per thread: none goes on before all have begun.
    arrived.fetch_add(1);
    while (arrived.load() < threads)
      std::this_thread::yield();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kWarmRows, kWarmColumns, static_cast<blasint>(k), 1.0f,
                a.data(), static_cast<blasint>(k), b.data(), kWarmColumns, 0.0f, c.data(), kWarmColumns);
  });
}

std::string gemmKernelName() { return openblas_get_corename(); }

} // namespace adjrt::cpu
