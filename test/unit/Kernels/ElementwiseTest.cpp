//===- ElementwiseTest.cpp - linalg.generic, residual -----------------------------------------------------------===//
#include "KernelRunner.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace adjc::test;

static const char *const maps = R"(#id = affine_map<(b, t, c) -> (b, t, c)>
#vec = affine_map<(b, t, c) -> (c)>
#seq = affine_map<(b, t, c) -> (b, c)>
#one = affine_map<(b, t, c) -> ()>
#id2 = affine_map<(b, t) -> (b, t)>
#all = affine_map<(i, j) -> (i, j)>
#lead = affine_map<(i, j) -> (i)>
#swap = affine_map<(i, j) -> (j, i)>
)";

TEST(Elementwise, Residual) {
  KernelRunner kernel(R"(adj.kernel @residual attributes {row_strides = array<i64: 40, 50, 40>} {
  ^bb0(%a: tensor<?x?x40xf32>, %b: tensor<?x?x40xf32>):
    %y = ssm.residual %a, %b : tensor<?x?x40xf32>
    adj.yield %y : tensor<?x?x40xf32>
  })");
  Floats a = randomFloats(3 * 43 * 40, 1), b = randomFloats(3 * 43 * 50, 2), y(a.size(), NAN);
  kernel.run(3, 43, {a.data(), b.data(), y.data()}, {&y});
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], a[i] + b[i / 40 * 50 + i % 40]);
}

TEST(Elementwise, BiasIsAddedInPlace) {
  KernelRunner kernel(std::string(maps) + R"(adj.kernel @bias {
  ^bb0(%x: tensor<?x?x40xf32>, %bias: tensor<40xf32>):
    %y = linalg.generic {indexing_maps = [#vec, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%bias : tensor<40xf32>) outs(%x : tensor<?x?x40xf32>) {
      ^bb0(%b: f32, %v: f32):
        %s = arith.addf %v, %b : f32
        linalg.yield %s : f32
    } -> tensor<?x?x40xf32>
    adj.yield %y : tensor<?x?x40xf32>
  })");
  Floats x = randomFloats(3 * 43 * 40, 1), bias = randomFloats(40, 2), before = x;
  // The kernel reads x through its output.
  kernel.run(3, 43, {x.data(), bias.data(), x.data()}, {&x});
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(x[i], before[i] + bias[i % 40]);
}

TEST(Elementwise, BroadcastsOverTokensAndBatchWithTwoResults) {
  KernelRunner kernel(std::string(maps) + R"(adj.kernel @mixed {
  ^bb0(%x: tensor<?x?x24xf32>, %s: tensor<?x24xf32>, %f: tensor<f32>):
    %b = arith.constant 0 : index
    %t = arith.constant 1 : index
    %db = tensor.dim %x, %b : tensor<?x?x24xf32>
    %dt = tensor.dim %x, %t : tensor<?x?x24xf32>
    %e = tensor.empty(%db, %dt) : tensor<?x?x24xf32>
    %two = arith.constant 2.0 : f32
    %y:2 = linalg.generic {indexing_maps = [#id, #seq, #one, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %s, %f : tensor<?x?x24xf32>, tensor<?x24xf32>, tensor<f32>) outs(%e, %e : tensor<?x?x24xf32>, tensor<?x?x24xf32>) {
      ^bb0(%v: f32, %w: f32, %g: f32, %o0: f32, %o1: f32):
        %p = arith.mulf %v, %w : f32
        %q = arith.addf %p, %g : f32
        %c = arith.cmpf ogt, %v, %w : f32
        %r = arith.select %c, %v, %two : f32
        linalg.yield %q, %r : f32, f32
    } -> (tensor<?x?x24xf32>, tensor<?x?x24xf32>)
    adj.yield %y#1, %y#0 : tensor<?x?x24xf32>, tensor<?x?x24xf32>
  })");
  const int64_t batch = 3, tokens = 30, channels = 24;
  Floats x = randomFloats(batch * tokens * channels, 1), s = randomFloats(batch * channels, 2), f{0.75f};
  Floats selected(x.size(), NAN), sums(x.size(), NAN);
  kernel.run(batch, tokens, {x.data(), s.data(), f.data(), selected.data(), sums.data()}, {&selected, &sums});
  for (size_t i = 0; i < x.size(); ++i) {
    float other = s[i / (tokens * channels) * channels + i % channels];
    EXPECT_NEAR(sums[i], double(x[i]) * other + f[0], 2e-7);
    EXPECT_EQ(selected[i], x[i] > other ? x[i] : 2.0f);
  }
}

TEST(Elementwise, BatchAndTokensOnly) {
  KernelRunner kernel(std::string(maps) + R"(adj.kernel @scalars {
  ^bb0(%x: tensor<?x?xf32>):
    %y = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) {
      ^bb0(%v: f32, %o: f32):
        %s = arith.mulf %v, %v : f32
        linalg.yield %s : f32
    } -> tensor<?x?xf32>
    adj.yield %y : tensor<?x?xf32>
  })");
  Floats x = randomFloats(3 * 43, 1), before = x;
  kernel.run(3, 43, {x.data(), x.data()}, {&x});
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(x[i], before[i] * before[i]);
}

TEST(Elementwise, StaticTensors) {
  KernelRunner kernel(std::string(maps) + R"(adj.kernel @static {
  ^bb0(%a: tensor<97x20xf32>, %v: tensor<97xf32>, %tr: tensor<20x97xf32>):
    %e = tensor.empty() : tensor<97x20xf32>
    %y = linalg.generic {indexing_maps = [#all, #lead, #swap, #all], iterator_types = ["parallel", "parallel"]}
      ins(%a, %v, %tr : tensor<97x20xf32>, tensor<97xf32>, tensor<20x97xf32>) outs(%e : tensor<97x20xf32>) {
      ^bb0(%p: f32, %q: f32, %r: f32, %o: f32):
        %s = arith.addf %p, %q : f32
        %t = arith.subf %s, %r : f32
        linalg.yield %t : f32
    } -> tensor<97x20xf32>
    adj.yield %y : tensor<97x20xf32>
  })");
  Floats a = randomFloats(97 * 20, 1), v = randomFloats(97, 2), transposed = randomFloats(97 * 20, 3), y(a.size(), NAN);
  kernel.run(1, 1, {a.data(), v.data(), transposed.data(), y.data()}, {&y});
  for (int64_t i = 0; i < 97; ++i)
    for (int64_t j = 0; j < 20; ++j)
      EXPECT_EQ(y[i * 20 + j], a[i * 20 + j] + v[i] - transposed[j * 97 + i]);
}

/// One scalar function on 97 channels, vectors and remainder alike.
static double worstError(const std::string &body, const std::function<double(double)> &expected, float lo, float hi) {
  KernelRunner kernel(
      std::string(maps) + "adj.kernel @f {\n^bb0(%x: tensor<?x?x97xf32>):\n" +
      R"(%y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x97xf32>) outs(%x : tensor<?x?x97xf32>) {
      ^bb0(%v: f32, %o: f32):
        )" +
      body + R"(
        linalg.yield %r : f32
    } -> tensor<?x?x97xf32>
    adj.yield %y : tensor<?x?x97xf32>
  })");
  const int64_t rows = 200;
  Floats x(rows * 97);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = lo + (hi - lo) * static_cast<float>(i) / static_cast<float>(x.size());
  Floats before = x;
  kernel.run(1, rows, {x.data(), x.data()}, {&x});
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, std::abs(x[i] / expected(before[i]) - 1));
  return worst;
}

TEST(MathFunctions, AreAccurate) {
  EXPECT_LT(worstError("%r = math.exp %v : f32", [](double x) { return std::exp(x); }, -80, 80), 3e-7);
  EXPECT_LT(worstError("%r = math.log %v : f32", [](double x) { return std::log(x); }, 1.5f, 1e6f), 3e-7);
  EXPECT_LT(worstError("%r = math.log1p %v : f32", [](double x) { return std::log1p(x); }, 1e-6f, 2.0f), 3e-7);
  EXPECT_LT(worstError("%r = math.expm1 %v : f32", [](double x) { return std::expm1(x); }, -5.0f, -1e-4f), 1e-6);
  EXPECT_LT(worstError("%r = math.tanh %v : f32", [](double x) { return std::tanh(x); }, 1e-3f, 12.0f), 5e-7);
  EXPECT_LT(worstError("%r = math.rsqrt %v : f32", [](double x) { return 1 / std::sqrt(x); }, 1e-3f, 12.0f), 2e-7);
  EXPECT_LT(worstError("%r = math.sin %v : f32", [](double x) { return std::sin(x); }, 0.1f, 3.0f), 1e-6);
}

TEST(MathFunctions, ExpVanishesFarBelowZero) {
  KernelRunner kernel(std::string(maps) + R"(adj.kernel @f {
  ^bb0(%x: tensor<?x?x1xf32>):
    %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x1xf32>) outs(%x : tensor<?x?x1xf32>) {
      ^bb0(%v: f32, %o: f32):
        %r = math.exp %v : f32
        linalg.yield %r : f32
    } -> tensor<?x?x1xf32>
    adj.yield %y : tensor<?x?x1xf32>
  })");
  Floats x{-200.0f, -1e30f, -INFINITY, 0.0f, INFINITY};
  kernel.run(1, 5, {x.data(), x.data()}, {&x});
  EXPECT_LT(x[0], 1e-37f);
  EXPECT_LT(x[1], 1e-37f);
  EXPECT_EQ(x[2], 0.0f);
  EXPECT_EQ(x[3], 1.0f);
  EXPECT_EQ(x[4], INFINITY);
}
