//===- EmbeddingAndLossTest.cpp - both ends of the model --------------------------------------------------------===//
#include "KernelRunner.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace adjc::test;

static std::vector<int32_t> randomTokens(size_t count, int32_t vocabulary) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; ++i)
    tokens[i] = static_cast<int32_t>((i * i * 7 + i / 3) % vocabulary);
  return tokens;
}

TEST(Embedding, CopiesRows) {
  KernelRunner kernel(R"(adj.kernel @embed {
  ^bb0(%t: tensor<?x?xi32>, %table: tensor<97x40xf32>):
    %y = ssm.embedding %t, %table : (tensor<?x?xi32>, tensor<97x40xf32>) -> tensor<?x?x40xf32>
    adj.yield %y : tensor<?x?x40xf32>
  })");
  std::vector<int32_t> tokens = randomTokens(3 * 43, 97);
  Floats table = randomFloats(97 * 40, 1), y(tokens.size() * 40, NAN);
  kernel.run(3, 43, {tokens.data(), table.data(), y.data()}, {&y});
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], table[tokens[i / 40] * 40 + i % 40]);
}

TEST(Embedding, AdjointAddsRowsToTheTable) {
  KernelRunner kernel(R"(adj.kernel @embed_adjoint accumulate {
  ^bb0(%t: tensor<?x?xi32>, %dy: tensor<?x?x40xf32>):
    %d = adj.embedding_adjoint %t, %dy : (tensor<?x?xi32>, tensor<?x?x40xf32>) -> tensor<5x40xf32>
    adj.yield %d : tensor<5x40xf32>
  })");
  for (auto [batch, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {3, 90}}) {
    std::vector<int32_t> ids = randomTokens(batch * tokens, 5);
    Floats dy = randomFloats(ids.size() * 40, 1), table = randomFloats(5 * 40, 2);
    Doubles expected = toDoubles(table);
    for (size_t i = 0; i < dy.size(); ++i)
      expected[ids[i / 40] * 40 + i % 40] += dy[i];
    kernel.run(batch, tokens, {ids.data(), dy.data(), table.data()}, {&table});
    EXPECT_LT(relativeError(table, expected), 3e-7);
  }
}

TEST(Embedding, AdjointKeepsPrecisionOverManyRowsOfOneToken) {
  KernelRunner kernel(R"(adj.kernel @embed_adjoint accumulate {
  ^bb0(%t: tensor<?x?xi32>, %dy: tensor<?x?x1xf32>):
    %d = adj.embedding_adjoint %t, %dy : (tensor<?x?xi32>, tensor<?x?x1xf32>) -> tensor<2x1xf32>
    adj.yield %d : tensor<2x1xf32>
  })");
  const int64_t rows = 1 << 18;
  std::vector<int32_t> ids(rows, 1);
  Floats dy = randomFloats(rows, 1), table(2);
  double expected = 0;
  for (float &value : dy)
    expected += value = 1.0f + 0.1f * value;
  kernel.run(1, rows, {ids.data(), dy.data(), table.data()}, {&table});
  EXPECT_EQ(table[0], 0.0f);
  EXPECT_NEAR(table[1] / expected, 1.0, 2e-6);
}

TEST(CrossEntropy, MatchesDoublesInPlace) {
  for (int64_t vocabulary : {97, 2080}) {
    std::string v = std::to_string(vocabulary), rows = "tensor<?x" + v + "xf32, #adj.blocks<\"mini\", 1>>";
    std::string targetType = "tensor<?xi32, #adj.blocks<\"mini\", 1>>",
                losses = "tensor<?xf32, #adj.blocks<\"mini\", 1>>";
    KernelRunner kernel("adj.kernel @loss {\n^bb0(%l: " + rows + ", %t: " + targetType + ", %s: tensor<f32>):\n" +
                        "%loss, %d = adj.cross_entropy %l, %t, %s : (" + rows + ", " + targetType +
                        ", tensor<f32>) -> (" + losses + ", " + rows + ")\nadj.yield %loss, %d : " + losses + ", " +
                        rows + "\n}");
    const int64_t count = 21;
    // Large logits: exp of one of them alone overflows.
    Floats logits = randomFloats(count * vocabulary, 1, 200.0f), loss(count, NAN), scale{0.125f};
    for (int64_t i = 0; i < 5 * vocabulary; ++i)
      logits[i] *= 0.01f;
    std::vector<int32_t> targets = randomTokens(count, static_cast<int32_t>(vocabulary));
    targets[4] = targets[20] = -100;
    Doubles expectedLoss(count), expected(logits.size());
    for (int64_t row = 0; row < count; ++row) {
      if (targets[row] == -100)
        continue;
      const float *l = &logits[row * vocabulary];
      double maximum = *std::max_element(l, l + vocabulary), sum = 0;
      for (int64_t i = 0; i < vocabulary; ++i)
        sum += std::exp(l[i] - maximum);
      expectedLoss[row] = std::log(sum) + maximum - l[targets[row]];
      for (int64_t i = 0; i < vocabulary; ++i)
        expected[row * vocabulary + i] = scale[0] * (std::exp(l[i] - maximum) / sum - (i == targets[row]));
    }
    // The input's address is the output's: the kernel reads through the output.
    kernel.run(7, 90, {logits.data(), targets.data(), scale.data(), loss.data(), logits.data()}, {&loss, &logits},
               count);
    ASSERT_LT(relativeError(loss, expectedLoss), 3e-7);
    EXPECT_LT(relativeError(logits, expected), 1e-6);
    EXPECT_EQ(loss[4], 0.0f);
    for (int64_t i = 0; i < vocabulary; ++i)
      EXPECT_EQ(logits[20 * vocabulary + i], 0.0f) << "an ignored row has no cotangent";
  }
}
