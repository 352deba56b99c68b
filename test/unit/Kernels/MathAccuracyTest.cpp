//===- MathAccuracyTest.cpp - units in the last place that the kernels' functions miss ----------------------------===//
//
// Every function that a region may hold, through the CPU target, over the range that matters, against the C library's
// in double. The bounds are what was measured on processors with and without fused multiply-adds, rounded up: a worse
// polynomial fails. The figures are printed.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "KernelRunner.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace adjc::test;

namespace {

struct Function {
  const char *name;
  const char *region; ///< from %x to %y
  double (*exact)(double);
  float low, high;
  double bound; ///< ulps
};

const Function functions[] = {
    {"exp", "%y = math.exp %x : f32", std::exp, -86.9f, 88.7f, 0.9},
    {"expm1", "%y = math.expm1 %x : f32", std::expm1, -20, 80, 3},
    {"expm1_near_0", "%y = math.expm1 %x : f32", std::expm1, -0.5, 0.5, 2.5},
    {"log", "%y = math.log %x : f32", std::log, 1e-3f, 1e3f, 1},
    {"log1p", "%y = math.log1p %x : f32", std::log1p, 0, 1, 2},
    {"tanh", "%y = math.tanh %x : f32", std::tanh, -10, 10, 6.5},
    {"erf", "%y = math.erf %x : f32", std::erf, -4, 4, 6},
    {"sin", "%y = math.sin %x : f32", std::sin, -3, 3, 2},
    {"cos", "%y = math.cos %x : f32", std::cos, -3, 3, 2},
    {"sin_near_0", "%y = math.sin %x : f32", std::sin, -1e-3f, 1e-3f, 1},
    {"sin_far", "%y = math.sin %x : f32", std::sin, -1e4f, 1e4f, 2.5},
    {"cos_far", "%y = math.cos %x : f32", std::cos, -1e4f, 1e4f, 2.5},
    {"log2", "%y = math.log2 %x : f32", std::log2, 1e-3f, 1e3f, 1.5},
    {"exp2", "%y = math.exp2 %x : f32", std::exp2, -126, 127.9f, 1.5},
    {"powf", "%c = arith.constant 1.7 : f32\n%y = math.powf %x, %c : f32",
     [](double x) { return std::pow(x, static_cast<double>(1.7f)); }, 1e-2f, 100, 12},
    {"sqrt", "%y = math.sqrt %x : f32", std::sqrt, 0, 100, 0.5},
    {"rsqrt", "%y = math.rsqrt %x : f32", [](double x) { return 1 / std::sqrt(x); }, 1e-3f, 100, 2},
    {"sigmoid", R"(%n = arith.negf %x : f32
      %e = math.exp %n : f32
      %s = arith.addf %e, %one : f32
      %y = arith.divf %one, %s : f32)",
     [](double x) { return 1 / (1 + std::exp(-x)); }, -80, 40, 2.5},
    {"silu", R"(%n = arith.negf %x : f32
      %m = arith.minimumf %n, %eighty : f32
      %e = math.exp %m : f32
      %s = arith.addf %one, %e : f32
      %y = arith.divf %x, %s : f32)",
     [](double x) { return x / (1 + std::exp(-x)); }, -79, 40, 2.5},
    {"softplus", R"(%n = arith.negf %x : f32
      %m = arith.minimumf %n, %x : f32
      %e = math.exp %m : f32
      %p = arith.maximumf %x, %zero : f32
      %l = math.log1p %e : f32
      %y = arith.addf %p, %l : f32)",
     [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, -80, 40, 2.5},
};

double ulpOf(double value) {
  const auto rounded = std::max(std::abs(static_cast<float>(value)), std::numeric_limits<float>::min());
  return static_cast<double>(std::nextafter(rounded, std::numeric_limits<float>::infinity())) -
         static_cast<double>(rounded);
}

struct MathAccuracy : testing::TestWithParam<Function> {};

/// An elementwise kernel of 64 channels: `region` leads from %x to %y.
std::string kernelOf(const char *region) {
  return std::string("#id = affine_map<(b, t, c) -> (b, t, c)>\n") + R"(adj.kernel @f {
  ^bb0(%v: tensor<?x?x64xf32>):
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %db = tensor.dim %v, %c0 : tensor<?x?x64xf32>
    %dt = tensor.dim %v, %c1 : tensor<?x?x64xf32>
    %empty = tensor.empty(%db, %dt) : tensor<?x?x64xf32>
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %eighty = arith.constant 80.0 : f32
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v : tensor<?x?x64xf32>) outs(%empty : tensor<?x?x64xf32>) {
      ^bb0(%x: f32, %o: f32):
      )" +
         region +
         R"(
      linalg.yield %y : f32
    } -> tensor<?x?x64xf32>
    adj.yield %r : tensor<?x?x64xf32>
  })";
}

TEST_P(MathAccuracy, WithinUlps) {
  const Function &function = GetParam();
  KernelRunner kernel(kernelOf(function.region));
  const int64_t tokens = 1 << 13;
  Floats x(tokens * 64), y(x.size(), NAN);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(function.low + (double(function.high) - function.low) * (static_cast<double>(i) + 0.37) /
                                                 static_cast<double>(x.size()));
  kernel.run(1, tokens, {x.data(), y.data()}, {&y});
  double worst = 0, sum = 0, where = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = function.exact(x[i]), miss = std::abs(y[i] - exact) / ulpOf(exact);
    sum += miss;
    if (!(miss <= worst)) {
      worst = miss;
      where = x[i];
    }
  }
  std::printf("%-14s [%g, %g]: at most %.2f ulps (at %g), %.2f on average\n", function.name, function.low,
              function.high, worst, where, sum / static_cast<double>(x.size()));
  EXPECT_LE(worst, function.bound) << function.name << " at " << where;
}

INSTANTIATE_TEST_SUITE_P(Functions, MathAccuracy, testing::ValuesIn(functions),
                         [](const auto &info) { return std::string(info.param.name); });

Floats apply(const char *region, const Floats &arguments) {
  KernelRunner kernel(kernelOf(region));
  Floats x(64, 1), y(64, NAN);
  std::copy(arguments.begin(), arguments.end(), x.begin());
  kernel.run(1, 1, {x.data(), y.data()}, {}); // no output is compared between runs: NaN differs from itself
  y.resize(arguments.size());
  return y;
}

const float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::nanf("");

/// Arguments at the ends of what f32 holds. Below 2^-125.5 the exponential is 0.
TEST(MathAccuracyEnds, Exp) {
  const Floats values =
      apply("%y = math.exp %x : f32", {-kInfinity, -1e30f, -88, -87.1f, 0, -0.0f, 88.73f, 1e30f, kInfinity, kNaN});
  EXPECT_EQ(Floats(values.begin(), values.end() - 1), (Floats{0, 0, 0, 0, 1, 1, kInfinity, kInfinity, kInfinity}));
  EXPECT_TRUE(std::isnan(values.back()));
}

TEST(MathAccuracyEnds, SineAndExp2) {
  const Floats powers =
      apply("%y = math.exp2 %x : f32", {-kInfinity, -1e30f, -149, -126, 0, 127, 128, 1e30f, kInfinity, kNaN});
  EXPECT_EQ(Floats(powers.begin(), powers.end() - 1), (Floats{0, 0, std::ldexp(1.0f, -149), std::ldexp(1.0f, -126), 1,
                                                              std::ldexp(1.0f, 127), kInfinity, kInfinity, kInfinity}));
  EXPECT_TRUE(std::isnan(powers.back()));
  for (const char *region : {"%y = math.sin %x : f32", "%y = math.cos %x : f32"}) {
    const Floats values = apply(region, {-kInfinity, kInfinity, kNaN, 1e6f, 1e30f, std::numeric_limits<float>::max()});
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_TRUE(i < 3 ? std::isnan(values[i]) : std::abs(values[i]) <= 1) << region << " " << i << ": " << values[i];
  }
}

} // namespace
