// ssm.embedding: a row of the table per token.
#include "Tape.h"

#include <algorithm>

namespace adjrt::reference {
namespace {

Status forward(Frame &frame) {
  const Tensor &table = frame.operand(1);
  if (table.shape.size() != 2)
    return frame.error("the table has shape " + toString(table.shape) + ", expected (vocabulary, channels)");
  std::int64_t vocabulary = table.shape[0], channels = table.shape[1];
  Tensor &y = frame.makeResult(0, {frame.batch(), frame.tokens(), channels});
  for (std::int64_t row = 0; row < frame.rows(); ++row) {
    std::int64_t token = frame.evaluation.batch->inputs[row];
    if (token < 0 || token >= vocabulary)
      return frame.error("token " + std::to_string(token) + " at position " + std::to_string(row % frame.tokens()) +
                         " of sequence " + std::to_string(row / frame.tokens()) + " is outside the vocabulary 0 .. " +
                         std::to_string(vocabulary - 1));
    std::copy_n(&table.values[token * channels], channels, &y.values[row * channels]);
  }
  return {};
}

Status backward(Frame &frame) {
  const Tensor *g = frame.resultCotangent(0);
  Tensor &table = frame.operandCotangent(1);
  std::int64_t channels = table.shape[1];
  for (std::int64_t row = 0; row < frame.rows(); ++row)
    for (std::int64_t c = 0; c < channels; ++c)
      table.values[frame.evaluation.batch->inputs[row] * channels + c] += g->values[row * channels + c];
  return {};
}

} // namespace

const Operation kEmbedding = {"ssm.embedding", 2,       2,       IntegerOperand::TokensFirst, false,
                              checkOneResult,  forward, backward};

} // namespace adjrt::reference
