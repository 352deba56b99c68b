#include "adjrt/support/BFloat16.h"
#include "cpu/Bf16Gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

using namespace adjrt::cpu;

namespace {

std::vector<float> random(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<float> result(count);
  for (float &value : result)
    value = values(engine);
  return result;
}

struct Case {
  std::int64_t m, n, k;
  bool transposeA, transposeB, accumulate;
};

std::vector<float> multiply(unsigned threads, const Case &c) {
  auto pool = ThreadPool::make(threads);
  EXPECT_TRUE(pool);
  warmUpGemm(**pool);
  // Leading dimensions larger than the rows: strides must be honoured.
  const GemmShape shape{
      c.m,          c.n,          c.k,         (c.transposeA ? c.m : c.k) + 3, (c.transposeB ? c.k : c.n) + 5, c.n + 2,
      c.transposeA, c.transposeB, c.accumulate};
  const auto a = random(static_cast<std::size_t>((c.transposeA ? c.k : c.m) * shape.lda), 1);
  const auto b = random(static_cast<std::size_t>((c.transposeB ? c.n : c.k) * shape.ldb), 2);
  auto result = random(static_cast<std::size_t>(c.m * shape.ldc), 3);
  const auto before = result;
  gemm(**pool, shape, a.data(), b.data(), result.data());
  double error = 0, norm = 0;
  for (std::int64_t i = 0; i < c.m; ++i) {
    for (std::int64_t j = 0; j < c.n; ++j) {
      double sum = c.accumulate ? before[static_cast<std::size_t>(i * shape.ldc + j)] : 0;
      for (std::int64_t l = 0; l < c.k; ++l)
        sum += double(a[static_cast<std::size_t>(c.transposeA ? l * shape.lda + i : i * shape.lda + l)]) *
               b[static_cast<std::size_t>(c.transposeB ? j * shape.ldb + l : l * shape.ldb + j)];
      error += std::pow(sum - result[static_cast<std::size_t>(i * shape.ldc + j)], 2);
      norm += sum * sum;
    }
    for (std::int64_t j = c.n; j < shape.ldc; ++j)
      EXPECT_EQ(result[static_cast<std::size_t>(i * shape.ldc + j)],
                before[static_cast<std::size_t>(i * shape.ldc + j)]);
  }
  EXPECT_LT(std::sqrt(error / norm), 1e-6);
  return result;
}

TEST(Gemm, IsRightAndDoesNotDependOnTheThreads) {
  for (const auto &[m, n, k] : {std::tuple(1, 1, 1), {7, 5, 3}, {300, 70, 40}, {40, 80, 3000}, {257, 600, 33}})
    for (int bits = 0; bits < 8; ++bits) {
      const Case c{m, n, k, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
      const auto one = multiply(1, c);
      EXPECT_EQ(one, multiply(2, c)) << m << " " << n << " " << k << " " << bits;
      EXPECT_EQ(one, multiply(5, c)) << m << " " << n << " " << k << " " << bits;
    }
}

std::vector<std::uint16_t> inBFloat16(const std::vector<float> &values) {
  std::vector<std::uint16_t> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), adjrt::roundToBFloat16);
  return result;
}

/// The product of operands in bf16, in f32 and rounded: [0] and [1].
std::vector<std::vector<float>> multiplyBf16(unsigned threads, const Case &c) {
  auto pool = ThreadPool::make(threads);
  EXPECT_TRUE(pool);
  warmUpGemm(**pool);
  warmUpGemmBf16(**pool);
  const GemmShape shape{
      c.m,          c.n,          c.k,         (c.transposeA ? c.m : c.k) + 3, (c.transposeB ? c.k : c.n) + 5, c.n + 2,
      c.transposeA, c.transposeB, c.accumulate};
  const auto a = inBFloat16(random(static_cast<std::size_t>((c.transposeA ? c.k : c.m) * shape.lda), 1));
  const auto b = inBFloat16(random(static_cast<std::size_t>((c.transposeB ? c.n : c.k) * shape.ldb), 2));
  const auto before = inBFloat16(random(static_cast<std::size_t>(c.m * shape.ldc), 3));
  std::vector<float> exact(before.size()), widened(before.size());
  std::transform(before.begin(), before.end(), exact.begin(), adjrt::widenBFloat16);
  auto rounded = before;
  gemmBf16(**pool, shape, a.data(), b.data(), exact.data(), false);
  gemmBf16(**pool, shape, a.data(), b.data(), rounded.data(), true);
  double error = 0, norm = 0;
  for (std::int64_t i = 0; i < c.m; ++i)
    for (std::int64_t j = 0; j < c.n; ++j) {
      const auto place = static_cast<std::size_t>(i * shape.ldc + j);
      double sum = c.accumulate ? double(adjrt::widenBFloat16(before[place])) : 0;
      for (std::int64_t l = 0; l < c.k; ++l)
        sum += double(adjrt::widenBFloat16(
                   a[static_cast<std::size_t>(c.transposeA ? l * shape.lda + i : i * shape.lda + l)])) *
               double(adjrt::widenBFloat16(
                   b[static_cast<std::size_t>(c.transposeB ? j * shape.ldb + l : l * shape.ldb + j)]));
      error += std::pow(sum - double(exact[place]), 2);
      norm += sum * sum;
    }
  EXPECT_LT(std::sqrt(error / norm), 1e-6);
  // The rounded product is the f32 one, rounded once; beyond the rows nothing is written.
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(rounded[i], adjrt::roundToBFloat16(exact[i]));
  std::transform(rounded.begin(), rounded.end(), widened.begin(), adjrt::widenBFloat16);
  return {exact, widened};
}

TEST(Gemm, OfBf16IsRightAndDoesNotDependOnTheThreads) {
  for (const auto &[m, n, k] : {std::tuple(1, 1, 1), {7, 5, 3}, {300, 70, 40}, {40, 80, 3000}, {257, 600, 33}})
    for (int bits = 0; bits < 8; ++bits) {
      const Case c{m, n, k, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
      EXPECT_EQ(multiplyBf16(1, c), multiplyBf16(3, c)) << m << " " << n << " " << k << " " << bits;
    }
}

TEST(BFloat16, RoundsToNearestEvenAndKeepsNaN) {
  using adjrt::nearestBFloat16;
  EXPECT_EQ(nearestBFloat16(1.0f + 0x1p-8f), 1.0f);           // a tie: to even
  EXPECT_EQ(nearestBFloat16(1.0f + 0x3p-8f), 1.0f + 0x1p-6f); // a tie: to even
  EXPECT_EQ(nearestBFloat16(1.0f + 0x1.02p-8f), 1.0f + 0x1p-7f);
  EXPECT_EQ(nearestBFloat16(0x1.ffp127f), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(nearestBFloat16(std::bit_cast<float>(0x7f800001u))));
}

std::int64_t tilesOf(std::int64_t m, std::int64_t n, const GemmTile &tile) {
  return ((m + tile.rows - 1) / tile.rows) * ((n + tile.columns - 1) / tile.columns);
}

TEST(Gemm, TilesAreLargeAndSharedEvenly) {
  for (const auto &[m, n, k] : {std::tuple(2048, 3072, 768), {2048, 768, 1536}, {3072, 768, 2048}, {512, 50280, 768}}) {
    const GemmTile tile = gemmTile(m, n, k);
    EXPECT_EQ(tilesOf(m, n, tile) % 8, 0) << m << " " << n << " " << k;
    EXPECT_GE(tile.rows * tile.columns, 256 * 512) << m << " " << n << " " << k;
  }
  // Weights' cotangents: few and long sums.
  EXPECT_GE(tilesOf(256, 64, gemmTile(256, 64, 65536)), 4);
}

TEST(Gemm, SmallProductsAreOneTile) {
  const GemmTile tiny = gemmTile(3, 2, 4);
  EXPECT_EQ(tiny.rows, 3);
  EXPECT_EQ(tiny.columns, 2);
  EXPECT_EQ(tilesOf(64, 64, gemmTile(64, 64, 16)), 1);
}

TEST(Gemm, TilesAreTheSameOnEveryMachine) {
  // Literal tiles: a change of any is a change of bits from one machine's build to another's, and must be meant.
  const auto tile = [](std::int64_t m, std::int64_t n, std::int64_t k) {
    const GemmTile found = gemmTile(m, n, k);
    return std::pair(found.rows, found.columns);
  };
  EXPECT_EQ(tile(2048, 3072, 768), std::pair(std::int64_t(1024), std::int64_t(768)));
  EXPECT_EQ(tile(3072, 768, 2048), std::pair(std::int64_t(768), std::int64_t(384)));
  EXPECT_EQ(tile(256, 50280, 768), std::pair(std::int64_t(256), std::int64_t(6336)));
  EXPECT_EQ(tile(2048, 80, 1536), std::pair(std::int64_t(256), std::int64_t(80)));
}

} // namespace
