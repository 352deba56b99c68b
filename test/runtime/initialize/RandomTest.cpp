// The random numbers have the moments they should, and fixed values; the elementary functions agree with the C library.
#include "adjrt/initialize/Random.h"
#include "PortableMath.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

using namespace adjrt;

namespace {
TEST(PortableMath, Log) {
  for (double x : {1e-300, 0x1p-53, 0.1, 0.5, 0.7071, 0.7072, 0.999999, 1.0, 1.000001, 2.0, 3.0, 16.0, 1e10, 1e300})
    EXPECT_NEAR(portableLog(x), std::log(x), 1e-14 * std::abs(std::log(x))) << x;
}

TEST(PortableMath, Exp) {
  for (double x : {-600.0, -6.9, -2.3, -1e-3, 0.0, 1e-9, 0.34, 0.35, 1.0, 20.0, 600.0})
    EXPECT_NEAR(portableExp(x), std::exp(x), 1e-14 * std::exp(x)) << x;
}

TEST(PortableMath, SineCosine) {
  for (int i = 0; i <= 1000; ++i) {
    double u = i / 1000.0;
    auto [sine, cosine] = portableSineCosine(u);
    EXPECT_NEAR(sine, std::sin(2 * std::numbers::pi * u), 1e-14) << u;
    EXPECT_NEAR(cosine, std::cos(2 * std::numbers::pi * u), 1e-14) << u;
  }
}

TEST(RandomStream, Moments) {
  RandomStream random(7, "weight");
  constexpr int kCount = 200000;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0, uniforms = 0, last = 0;
  for (int i = 0; i != kCount; ++i) {
    double x = random.normal(static_cast<std::uint64_t>(i));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    neighbours += x * last;
    last = x;
    double u = random.uniform(static_cast<std::uint64_t>(i));
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    uniforms += u;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.01);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
  EXPECT_NEAR(fourth / kCount, 3, 0.15);
  EXPECT_NEAR(neighbours / kCount, 0, 0.01);
  EXPECT_NEAR(uniforms / kCount, 0.5, 0.005);
}

TEST(RandomStream, BelowIsUniform) {
  RandomStream random(7, "tokens");
  std::array<int, 7> counts{};
  for (std::uint64_t i = 0; i != 70000; ++i)
    ++counts.at(random.below(i, 7));
  for (int count : counts)
    EXPECT_NEAR(count, 10000, 500);
  EXPECT_EQ(random.below(3, 1), 0U);
}

TEST(RandomStream, SeedsAndNamesDiffer) {
  EXPECT_EQ(RandomStream(1, "a").uniform(5), RandomStream(1, "a").uniform(5));
  EXPECT_NE(RandomStream(1, "a").uniform(5), RandomStream(2, "a").uniform(5));
  EXPECT_NE(RandomStream(1, "a").uniform(5), RandomStream(1, "b").uniform(5));
  EXPECT_NE(RandomStream(1, "a").uniform(5), RandomStream(std::uint64_t{1} << 32, "a").uniform(5));
}
} // namespace
