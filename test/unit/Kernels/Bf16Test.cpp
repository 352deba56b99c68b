//===- Bf16Test.cpp - kernels with operands stored in bf16: extended when loaded, rounded once when stored --------===//
// Inputs are numbers that bf16 holds; the same kernel on f32 operands, rounded, is what is expected.
#include "KernelRunner.h"
#include "adjrt/support/BFloat16.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

using namespace adjc::test;
using adjrt::nearestBFloat16;

using Halves = std::vector<uint16_t>;

static Floats randomInBf16(size_t count, uint32_t seed) {
  Floats values = randomFloats(count, seed);
  std::transform(values.begin(), values.end(), values.begin(), nearestBFloat16);
  return values;
}

static Halves toHalves(const Floats &values) {
  Halves halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), adjrt::roundToBFloat16);
  return halves;
}

/// `text` with every `$` replaced by a storage type.
static std::string inType(std::string text, const std::string &type) {
  for (size_t at; (at = text.find('$')) != std::string::npos;)
    text.replace(at, 1, type);
  return text;
}

TEST(Bf16, RmsNorm) {
  for (int64_t channels : {5, 40}) {
    std::string c = std::to_string(channels);
    std::string text = "adj.kernel @norm {\n^bb0(%x: tensor<?x?x" + c + "xf32>, %w: tensor<" + c + "xf32>):\n" +
                       "%y = ssm.rms_norm %x, %w eps 1.0e-5 : (tensor<?x?x" + c + "xf32>, tensor<" + c +
                       "xf32>) -> tensor<?x?x" + c + "x$>\nadj.yield %y : tensor<?x?x" + c + "x$>\n}";
    KernelRunner exact(inType(text, "f32")), rounding(inType(text, "bf16"));
    Floats x = randomFloats(3 * 43 * channels, 1), w = randomFloats(channels, 2), y(x.size(), NAN);
    Halves rounded(x.size());
    exact.run(3, 43, {x.data(), w.data(), y.data()}, {&y});
    rounding.run(3, 43, {x.data(), w.data(), rounded.data()}, {});
    EXPECT_EQ(rounded, toHalves(y));
  }
}

TEST(Bf16, ResidualOfBothPrecisions) {
  KernelRunner kernel(R"(adj.kernel @residual attributes {row_strides = array<i64: 24, 50, 24>} {
  ^bb0(%a: tensor<?x?x24xf32>, %b: tensor<?x?x24xbf16>):
    %y = ssm.residual %a, %b : (tensor<?x?x24xf32>, tensor<?x?x24xbf16>) -> tensor<?x?x24xf32>
    adj.yield %y : tensor<?x?x24xf32>
  })");
  Floats a = randomFloats(3 * 43 * 24, 1), b = randomInBf16(3 * 43 * 50, 2), y(a.size(), NAN);
  Halves half = toHalves(b);
  kernel.run(3, 43, {a.data(), half.data(), y.data()}, {&y});
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], a[i] + b[i / 24 * 50 + i % 24]);
}

/// The region extends and rounds by itself; what it rounds in the middle is rounded.
TEST(Bf16, ElementwiseRoundsWhereItsRegionDoes) {
  KernelRunner kernel(R"(#id = affine_map<(b, t, c) -> (b, t, c)>
  adj.kernel @twice {
  ^bb0(%x: tensor<?x?x24xbf16>, %z: tensor<?x?x24xf32>):
    %i = arith.constant 0 : index
    %j = arith.constant 1 : index
    %db = tensor.dim %x, %i : tensor<?x?x24xbf16>
    %dt = tensor.dim %x, %j : tensor<?x?x24xbf16>
    %e = tensor.empty(%db, %dt) : tensor<?x?x24xbf16>
    %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %z : tensor<?x?x24xbf16>, tensor<?x?x24xf32>) outs(%e : tensor<?x?x24xbf16>) {
      ^bb0(%v: bf16, %w: f32, %o: bf16):
        %a = arith.extf %v : bf16 to f32
        %s = arith.addf %a, %w : f32
        %r = arith.truncf %s : f32 to bf16
        %m = arith.extf %r : bf16 to f32
        %p = arith.mulf %m, %w : f32
        %q = arith.truncf %p : f32 to bf16
        linalg.yield %q : bf16
    } -> tensor<?x?x24xbf16>
    adj.yield %y : tensor<?x?x24xbf16>
  })");
  Floats x = randomInBf16(3 * 43 * 24, 1), z = randomFloats(x.size(), 2);
  Halves half = toHalves(x), y(x.size());
  kernel.run(3, 43, {half.data(), z.data(), y.data()}, {});
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], adjrt::roundToBFloat16(nearestBFloat16(x[i] + z[i]) * z[i]));
}

TEST(Bf16, ConversionsKeepEveryNumber) {
  KernelRunner round(R"(adj.kernel @round {
  ^bb0(%x: tensor<40x24xf32>):
    %y = arith.truncf %x : tensor<40x24xf32> to tensor<40x24xbf16>
    adj.yield %y : tensor<40x24xbf16>
  })");
  KernelRunner extend(R"(adj.kernel @extend {
  ^bb0(%x: tensor<?x?x24xbf16>):
    %y = arith.extf %x : tensor<?x?x24xbf16> to tensor<?x?x24xf32>
    adj.yield %y : tensor<?x?x24xf32>
  })");
  Floats x = randomFloats(40 * 24, 1), back(x.size(), 0);
  // Ties, the largest numbers, infinities, signed zeros, and NaN whose payload is in the lower half.
  const uint32_t bits[] = {0x3f808000, 0x3f818000, 0x3f808001, 0x7f7fffff, 0x7f800000,
                           0xff800000, 0x80000000, 0x7f800001, 0xffc12345};
  for (size_t i = 0; i < std::size(bits); ++i)
    x[i * 31] = std::bit_cast<float>(bits[i]);
  Halves y(x.size());
  round.run(1, 1, {x.data(), y.data()}, {});
  EXPECT_EQ(y, toHalves(x));
  extend.run(1, 40, {y.data(), back.data()}, {});
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(std::bit_cast<uint32_t>(back[i]), uint32_t(y[i]) << 16);
}

/// At the first tokens, whose taps reach into the tail, a sum is rounded once too.
TEST(Bf16, ConvolutionRoundsOnce) {
  std::string text = R"(adj.kernel @conv {
  ^bb0(%x: tensor<?x?x20x$>, %w: tensor<20x1x4xf32>, %b: tensor<20xf32>, %tail: tensor<?x3x20xf32>):
    %y, %next = ssm.conv1d %x, %w bias %b tail %tail
      : (tensor<?x?x20x$>, tensor<20x1x4xf32>, tensor<20xf32>, tensor<?x3x20xf32>) -> (tensor<?x?x20x$>, tensor<?x3x20xf32>)
    adj.yield %y, %next : tensor<?x?x20x$>, tensor<?x3x20xf32>
  })";
  KernelRunner exact(inType(text, "f32")), rounding(inType(text, "bf16"));
  for (int64_t tokens : {1, 2, 30}) {
    Floats x = randomInBf16(2 * tokens * 20, 1), w = randomFloats(80, 2), b = randomFloats(20, 3),
           tail = randomInBf16(120, 4);
    Floats y(x.size(), NAN), next(120, NAN), nextRounding(120, NAN);
    Halves half = toHalves(x), rounded(x.size());
    exact.run(2, tokens, {x.data(), w.data(), b.data(), tail.data(), y.data(), next.data()}, {&y, &next});
    rounding.run(2, tokens, {half.data(), w.data(), b.data(), tail.data(), rounded.data(), nextRounding.data()},
                 {&nextRounding});
    EXPECT_EQ(rounded, toHalves(y)) << tokens;
    EXPECT_EQ(next, nextRounding) << tokens;
  }
}

TEST(Bf16, CrossEntropyLeavesTheLogitsAlone) {
  std::string text = R"(adj.kernel @entropy {
  ^bb0(%l: tensor<?x?x40xf32>, %t: tensor<?x?xi32>, %s: tensor<f32>):
    %loss, %g = adj.cross_entropy %l, %t, %s : (tensor<?x?x40xf32>, tensor<?x?xi32>, tensor<f32>) -> (tensor<?x?xf32>, tensor<?x?x40x$>)
    adj.yield %loss, %g : tensor<?x?xf32>, tensor<?x?x40x$>
  })";
  KernelRunner exact(inType(text, "f32")), rounding(inType(text, "bf16"));
  const int64_t rows = 21, vocabulary = 40;
  Floats logits = randomFloats(rows * vocabulary, 1, 4), scale{0.125f}, losses(rows, NAN), lossesRounding(rows, NAN);
  std::vector<int32_t> targets(rows);
  for (int64_t row = 0; row < rows; ++row)
    targets[row] = row % 5 == 2 ? -100 : static_cast<int32_t>(row * 7 % vocabulary);
  Floats cotangent = logits, before = logits;
  Halves rounded(logits.size());
  rounding.run(1, rows, {logits.data(), targets.data(), scale.data(), lossesRounding.data(), rounded.data()},
               {&lossesRounding});
  EXPECT_EQ(logits, before);
  exact.run(1, rows, {cotangent.data(), targets.data(), scale.data(), losses.data(), cotangent.data()},
            {&losses, &cotangent});
  for (int64_t row = 0; row < rows; ++row)
    EXPECT_NEAR(losses[row], lossesRounding[row], 1e-6);
  for (size_t i = 0; i < rounded.size(); ++i)
    EXPECT_NEAR(adjrt::widenBFloat16(rounded[i]), cotangent[i], std::abs(cotangent[i]) * 0x1.04p-8 + 1e-9);
}
