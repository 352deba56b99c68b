//===- SumsTest.cpp - column sums, sums of partial sums, accumulating kernels -----------------------------------===//
#include "KernelRunner.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace adjc::test;

TEST(ColumnSum, SumsBlocksOf64Rows) {
  for (int64_t channels : {7, 40, 64}) {
    std::string c = std::to_string(channels), rows = "tensor<?x?x" + c + "xf32>";
    std::string partials = "tensor<?x" + c + "xf32, #adj.blocks<\"rows\", 64>>";
    KernelRunner kernel("adj.kernel @sum {\n^bb0(%x: " + rows + "):\n%p = adj.column_sum %x : (" + rows + ") -> " +
                        partials + "\nadj.yield %p : " + partials + "\n}");
    for (auto [batch, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {3, 43}, {2, 64}}) {
      int64_t count = batch * tokens, blocks = (count + 63) / 64;
      Floats x = randomFloats(count * channels, 1), result(blocks * channels, NAN);
      kernel.run(batch, tokens, {x.data(), result.data()}, {&result});
      Doubles expected(result.size());
      for (int64_t row = 0; row < count; ++row)
        for (int64_t i = 0; i < channels; ++i)
          expected[row / 64 * channels + i] += x[row * channels + i];
      EXPECT_LT(relativeError(result, expected), 5e-7);
    }
  }
}

TEST(SumPartials, OverBlocksBatchAndBoth) {
  struct Case {
    std::string partials, result;
    int64_t count, size;
  };
  // batch 3, tokens 50: 150 rows, 3 blocks.
  for (const Case &c : {Case{"tensor<?x40xf32, #adj.blocks<\"rows\", 64>>", "tensor<40xf32>", 3, 40},
                        Case{"tensor<?x40x1x4xf32>", "tensor<40x1x4xf32>", 3, 160},
                        Case{"tensor<5x?x30x16xf32>", "tensor<30x16xf32>", 15, 480}}) {
    for (bool accumulate : {false, true}) {
      KernelRunner kernel("adj.kernel @sum " + std::string(accumulate ? "accumulate " : "") +
                          "{\n^bb0(%x: " + c.partials + "):\n%p = adj.sum_partials %x : (" + c.partials + ") -> " +
                          c.result + "\nadj.yield %p : " + c.result + "\n}");
      Floats x = randomFloats(c.count * c.size, 1), result = randomFloats(c.size, 2);
      Doubles expected(c.size);
      if (accumulate)
        expected = toDoubles(result);
      for (size_t i = 0; i < x.size(); ++i)
        expected[i % c.size] += x[i];
      kernel.run(3, 50, {x.data(), result.data()}, {&result});
      EXPECT_LT(relativeError(result, expected), 3e-7) << c.partials;
    }
  }
}

TEST(SumPartials, ToTokenRowsWithAStride) {
  const int64_t batch = 3, tokens = 30, lanes = 5, channels = 9, stride = 20;
  KernelRunner kernel("adj.kernel @sum attributes {row_strides = array<i64: 0, 20>} {\n^bb0(%x: tensor<5x?x?x9xf32>):\n"
                      "%p = adj.sum_partials %x : (tensor<5x?x?x9xf32>) -> tensor<?x?x9xf32>\n"
                      "adj.yield %p : tensor<?x?x9xf32>\n}");
  Floats x = randomFloats(lanes * batch * tokens * channels, 1), y(batch * tokens * stride, 7.0f);
  kernel.run(batch, tokens, {x.data(), y.data()}, {&y});
  for (int64_t row = 0; row < batch * tokens; ++row)
    for (int64_t i = 0; i < stride; ++i) {
      double expected = i < channels ? 0 : 7;
      for (int64_t p = 0; p < lanes && i < channels; ++p)
        expected += x[(p * batch * tokens + row) * channels + i];
      EXPECT_NEAR(y[row * stride + i], expected, 1e-6);
    }
}

TEST(SumPartials, KeepsPrecisionOverManyPartials) {
  KernelRunner kernel("adj.kernel @sum {\n^bb0(%x: tensor<?x16xf32, #adj.blocks<\"rows\", 64>>):\n"
                      "%p = adj.sum_partials %x : (tensor<?x16xf32, #adj.blocks<\"rows\", 64>>) -> tensor<16xf32>\n"
                      "adj.yield %p : tensor<16xf32>\n}");
  const int64_t blocks = 16384;
  Floats x = randomFloats(blocks * 16, 1), result(16, NAN);
  for (float &value : x)
    value = 1.0f + 0.1f * value;
  kernel.run(1, blocks * 64, {x.data(), result.data()}, {&result});
  Doubles expected(16);
  for (size_t i = 0; i < x.size(); ++i)
    expected[i % 16] += x[i];
  EXPECT_LT(relativeError(result, expected), 5e-6);
}

TEST(Copy, AccumulatesAStaticTensor) {
  for (std::string type : {"tensor<97x40xf32>", "tensor<1100xf32>", "tensor<3x5x7xf32>", "tensor<f32>"}) {
    KernelRunner kernel("adj.kernel @add accumulate {\n^bb0(%x: " + type + "):\nadj.yield %x : " + type + "\n}");
    size_t size = type == "tensor<97x40xf32>"  ? 97 * 40
                  : type == "tensor<1100xf32>" ? 1100
                  : type == "tensor<f32>"      ? 1
                                               : 105;
    Floats x = randomFloats(size, 1), y = randomFloats(size, 2), expected(size);
    for (size_t i = 0; i < size; ++i)
      expected[i] = y[i] + x[i];
    kernel.run(2, 3, {x.data(), y.data()}, {&y});
    EXPECT_EQ(y, expected) << type;
  }
}
