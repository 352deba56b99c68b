//===- NormTest.cpp - ssm.rms_norm and its adjoint --------------------------------------------------------------===//
#include "KernelRunner.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace adjc::test;

static const double eps = 1e-5;

static Doubles norm(const Doubles &x, const Doubles &weight) {
  size_t channels = weight.size();
  Doubles y(x.size());
  for (size_t row = 0; row < x.size() / channels; ++row) {
    double sum = 0;
    for (size_t c = 0; c < channels; ++c)
      sum += x[row * channels + c] * x[row * channels + c];
    for (size_t c = 0; c < channels; ++c)
      y[row * channels + c] = x[row * channels + c] / std::sqrt(sum / channels + eps) * weight[c];
  }
  return y;
}

static std::string forwardText(int64_t channels, const std::string &attributes = "") {
  std::string rows = "tensor<?x?x" + std::to_string(channels) + "xf32>";
  std::string weight = "tensor<" + std::to_string(channels) + "xf32>";
  return "adj.kernel @norm " + attributes + " {\n^bb0(%x: " + rows + ", %w: " + weight + "):\n" +
         "%y = ssm.rms_norm %x, %w eps 1.0e-5 : (" + rows + ", " + weight + ") -> " + rows +
         "\nadj.yield %y : " + rows + "\n}";
}

TEST(RmsNorm, MatchesDoubles) {
  for (int64_t channels : {3, 40, 64, 2080}) {
    KernelRunner kernel(forwardText(channels));
    for (auto [batch, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {3, 1}, {3, 43}, {1, 64}}) {
      Floats x = randomFloats(batch * tokens * channels, 1), weight = randomFloats(channels, 2), y(x.size(), NAN);
      kernel.run(batch, tokens, {x.data(), weight.data(), y.data()}, {&y});
      EXPECT_LT(relativeError(y, norm(toDoubles(x), toDoubles(weight))), 3e-7) << channels << " channels";
    }
  }
}

TEST(RmsNorm, HonoursRowStrides) {
  const int64_t channels = 40, in = 100, out = 48, rows = 70;
  KernelRunner kernel(forwardText(channels, "attributes {row_strides = array<i64: 100, 0, 48>}"));
  Floats x = randomFloats(rows * in, 3), weight = randomFloats(channels, 4), y(rows * out, 7.0f), packed, result;
  kernel.run(2, 35, {x.data(), weight.data(), y.data()}, {&y});
  for (int64_t row = 0; row < rows; ++row) {
    packed.insert(packed.end(), &x[row * in], &x[row * in + channels]);
    result.insert(result.end(), &y[row * out], &y[row * out + channels]);
    for (int64_t c = channels; c < out; ++c)
      EXPECT_EQ(y[row * out + c], 7.0f) << "wrote past a row";
  }
  EXPECT_LT(relativeError(result, norm(toDoubles(packed), toDoubles(weight))), 3e-7);
}

TEST(RmsNorm, AdjointIsTheTranspose) {
  for (int64_t channels : {5, 40, 96}) {
    std::string rows = "tensor<?x?x" + std::to_string(channels) + "xf32>";
    std::string weightType = "tensor<" + std::to_string(channels) + "xf32>";
    std::string partials = "tensor<?x" + std::to_string(channels) + "xf32, #adj.blocks<\"rows\", 64>>";
    KernelRunner kernel("adj.kernel @norm_adjoint {\n^bb0(%x: " + rows + ", %w: " + weightType + ", %dy: " + rows +
                        "):\n%dx, %dw = adj.rms_norm_adjoint %x, %w, %dy eps 1.0e-5 : (" + rows + ", " + weightType +
                        ", " + rows + ") -> (" + rows + ", " + partials + ")\nadj.yield %dx, %dw : " + rows + ", " +
                        partials + "\n}");
    for (auto [batch, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {3, 50}}) {
      int64_t count = batch * tokens, blocks = (count + 63) / 64;
      Floats x = randomFloats(count * channels, 5), weight = randomFloats(channels, 6);
      Floats dy = randomFloats(count * channels, 7), dx(x.size(), NAN), partial(blocks * channels, NAN);
      kernel.run(batch, tokens, {x.data(), weight.data(), dy.data(), dx.data(), partial.data()}, {&dx, &partial});
      Doubles dweight(channels);
      for (size_t i = 0; i < partial.size(); ++i)
        dweight[i % channels] += partial[i];
      // <J v, dy> = <v, J^T dy>, for the input and for the weight.
      Doubles along = toDoubles(randomFloats(x.size(), 8));
      auto ofInput = [&](const Doubles &at) { return dot(norm(at, toDoubles(weight)), toDoubles(dy)); };
      double expected = differentiate(ofInput, toDoubles(x), along);
      EXPECT_NEAR(dot(toDoubles(dx), along), expected, 2e-6 * std::sqrt(double(x.size())));
      Doubles alongWeight = toDoubles(randomFloats(channels, 9));
      auto ofWeight = [&](const Doubles &at) { return dot(norm(toDoubles(x), at), toDoubles(dy)); };
      expected = differentiate(ofWeight, toDoubles(weight), alongWeight);
      EXPECT_NEAR(dot(dweight, alongWeight), expected, 2e-6 * std::sqrt(double(x.size())));
    }
  }
}

/// A sum that is stored and normalised, and the norm doubled, in one kernel.
TEST(RmsNorm, TakesPointwiseNeighboursAlong) {
  for (int64_t channels : {5, 48}) {
    std::string rows = "tensor<?x?x" + std::to_string(channels) + "xf32>";
    std::string weight = "tensor<" + std::to_string(channels) + "xf32>";
    std::string parallel = "iterator_types = [\"parallel\", \"parallel\", \"parallel\"]}";
    KernelRunner kernel(
        "#id = affine_map<(b, t, c) -> (b, t, c)>\nadj.kernel @norm {\n^bb0(%a: " + rows + ", %b: " + rows +
        ", %w: " + weight + "):\n%zero = arith.constant 0 : index\n%one = arith.constant 1 : index\n" +
        "%d0 = tensor.dim %a, %zero : " + rows + "\n%d1 = tensor.dim %a, %one : " + rows +
        "\n%e = tensor.empty(%d0, %d1) : " + rows + "\n%x = linalg.generic {indexing_maps = [#id, #id, #id], " +
        parallel + " ins(%a, %b : " + rows + ", " + rows + ") outs(%e : " + rows +
        ") {\n^bb0(%p: f32, %q: f32, %o: f32):\n%s = arith.addf %p, %q : f32\nlinalg.yield %s : f32\n} -> " + rows +
        "\n%y = ssm.rms_norm %x, %w eps 1.0e-5 : (" + rows + ", " + weight + ") -> " + rows +
        "\n%z = linalg.generic {indexing_maps = [#id, #id, #id], " + parallel + " ins(%y, %b : " + rows + ", " + rows +
        ") outs(%e : " + rows +
        ") {\n^bb0(%p: f32, %q: f32, %o: f32):\n%s = arith.mulf %p, %q : f32\nlinalg.yield %s : f32\n} -> " + rows +
        "\nadj.yield %x, %z : " + rows + ", " + rows + "\n}");
    const int64_t batch = 3, tokens = 43;
    size_t count = batch * tokens * channels;
    Floats a = randomFloats(count, 1), b = randomFloats(count, 2), w = randomFloats(channels, 3);
    Floats x(count, NAN), z(count, NAN);
    kernel.run(batch, tokens, {a.data(), b.data(), w.data(), x.data(), z.data()}, {&x, &z});
    Doubles sum(count);
    for (size_t i = 0; i < count; ++i)
      sum[i] = double(a[i]) + b[i];
    EXPECT_LT(relativeError(x, sum), 1e-7);
    Doubles expected = norm(sum, toDoubles(w));
    for (size_t i = 0; i < count; ++i)
      expected[i] *= b[i];
    EXPECT_LT(relativeError(z, expected), 3e-7);
  }
}
