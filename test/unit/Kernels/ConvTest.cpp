//===- ConvTest.cpp - ssm.conv1d and its adjoint ----------------------------------------------------------------===//
#include "KernelRunner.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace adjc::test;

namespace {
const int64_t width = 4;

/// The convolution by its definition, in double precision, as a list of taps: y[t] takes weight[k] times position t -
/// (W-1) + k.
struct Shape {
  int64_t batch, tokens, channels;
  bool tail;
  std::vector<uint8_t> resets; ///< empty: none

  int64_t at(int64_t b, int64_t t, int64_t c) const { return (b * tokens + t) * channels + c; }
  int64_t atTail(int64_t b, int64_t row, int64_t c) const { return (b * (width - 1) + row) * channels + c; }
  /// No reset lies in (s, t].
  bool isConnected(int64_t b, int64_t s, int64_t t) const {
    for (int64_t q = std::max<int64_t>(s + 1, 0); q <= t && !resets.empty(); ++q)
      if (resets[b * tokens + q])
        return false;
    return true;
  }
  bool exists(int64_t s) const { return s >= 0 || tail; }
};

struct Result {
  Doubles y, nextTail;
};
struct Cotangents {
  Doubles dx, dweight, dbias, dtail;
};
} // namespace

static Result forward(const Shape &s, const Floats &x, const Floats &weight, const Floats &bias, const Floats &tail) {
  Result r{Doubles(x.size()), Doubles(s.batch * (width - 1) * s.channels)};
  auto value = [&](int64_t b, int64_t p, int64_t c) -> double {
    return p >= 0 ? x[s.at(b, p, c)] : tail[s.atTail(b, p + width - 1, c)];
  };
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t c = 0; c < s.channels; ++c) {
      for (int64_t t = 0; t < s.tokens; ++t) {
        double sum = bias.empty() ? 0 : bias[c];
        for (int64_t k = 0; k < width; ++k)
          if (int64_t p = t - (width - 1) + k; s.exists(p) && s.isConnected(b, p, t))
            sum += weight[c * width + k] * value(b, p, c);
        r.y[s.at(b, t, c)] = sum;
      }
      for (int64_t row = 0; row < width - 1; ++row)
        if (int64_t p = s.tokens - (width - 1) + row; s.exists(p) && s.isConnected(b, p, s.tokens - 1))
          r.nextTail[s.atTail(b, row, c)] = value(b, p, c);
    }
  return r;
}

static Cotangents reverse(const Shape &s, const Floats &x, const Floats &weight, const Floats &tail, const Floats &dy,
                          const Floats &tailCotangent) {
  Cotangents r{Doubles(x.size()), Doubles(weight.size()), Doubles(s.channels), Doubles(tail.size())};
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t c = 0; c < s.channels; ++c) {
      auto add = [&](int64_t p, double amount) {
        if (p >= 0)
          r.dx[s.at(b, p, c)] += amount;
        else if (!r.dtail.empty())
          r.dtail[s.atTail(b, p + width - 1, c)] += amount;
      };
      for (int64_t t = 0; t < s.tokens; ++t) {
        double cotangent = dy[s.at(b, t, c)];
        r.dbias[c] += cotangent;
        for (int64_t k = 0; k < width; ++k) {
          int64_t p = t - (width - 1) + k;
          if (!s.exists(p) || !s.isConnected(b, p, t))
            continue;
          double value = p >= 0 ? x[s.at(b, p, c)] : tail[s.atTail(b, p + width - 1, c)];
          r.dweight[c * width + k] += cotangent * value;
          add(p, cotangent * weight[c * width + k]);
        }
      }
      for (int64_t row = 0; row < width - 1 && !tailCotangent.empty(); ++row)
        if (int64_t p = s.tokens - (width - 1) + row; s.exists(p) && s.isConnected(b, p, s.tokens - 1))
          add(p, tailCotangent[s.atTail(b, row, c)]);
    }
  return r;
}

static std::vector<Shape> getShapes(int64_t channels, bool tail, bool resets) {
  std::vector<Shape> shapes;
  for (auto [batch, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {3, 1}, {3, 2}, {2, 3}, {3, 4}, {3, 7}, {2, 150}}) {
    Shape shape{batch, tokens, channels, tail, {}};
    if (resets)
      for (int64_t i = 0; i < batch * tokens; ++i)
        shape.resets.push_back(i % 5 == 1 || i % 70 == 0);
    shapes.push_back(shape);
  }
  return shapes;
}

/// Which of the optional operands a kernel has.
struct Form {
  bool bias, tail, resets;
};
static const Form forms[] = {{false, false, false}, {true, true, false}, {true, true, true}, {false, false, true}};

static std::string rowsType(int64_t channels) { return "tensor<?x?x" + std::to_string(channels) + "xf32>"; }

TEST(Conv1d, MatchesDoubles) {
  for (int64_t channels : {40, 80})
    for (Form form : forms) {
      std::string c = std::to_string(channels), rows = rowsType(channels), tailType = "tensor<?x3x" + c + "xf32>";
      std::string weightType = "tensor<" + c + "x1x4xf32>", biasType = "tensor<" + c + "xf32>",
                  flags = "tensor<?x?xi8>";
      std::string text = "adj.kernel @conv {\n^bb0(%x: " + rows + ", %w: " + weightType;
      text += form.bias ? ", %bias: " + biasType : "";
      text += form.tail ? ", %tail: " + tailType : "";
      text += form.resets ? ", %resets: " + flags : "";
      text += "):\n%y, %next = ssm.conv1d %x, %w";
      text += form.bias ? " bias %bias" : "";
      text += form.tail ? " tail %tail" : "";
      text += form.resets ? " resets %resets" : "";
      text += " : (" + rows + ", " + weightType + (form.bias ? ", " + biasType : "") +
              (form.tail ? ", " + tailType : "") + (form.resets ? ", " + flags : "") + ") -> (" + rows + ", " +
              tailType + ")\nadj.yield %y, %next : " + rows + ", " + tailType + "\n}";
      KernelRunner kernel(text);
      for (Shape &shape : getShapes(channels, form.tail, form.resets)) {
        Floats x = randomFloats(shape.batch * shape.tokens * channels, 11), weight = randomFloats(channels * width, 12);
        Floats bias = form.bias ? randomFloats(channels, 13) : Floats();
        Floats tail = form.tail ? randomFloats(shape.batch * (width - 1) * channels, 14) : Floats();
        Floats y(x.size(), NAN), next(shape.batch * (width - 1) * channels, NAN);
        std::vector<void *> operands{x.data(), weight.data()};
        if (form.bias)
          operands.push_back(bias.data());
        if (form.tail)
          operands.push_back(tail.data());
        if (form.resets)
          operands.push_back(shape.resets.data());
        operands.insert(operands.end(), {y.data(), next.data()});
        kernel.run(shape.batch, shape.tokens, operands, {&y, &next});
        Result expected = forward(shape, x, weight, bias, tail);
        EXPECT_LT(relativeError(y, expected.y), 3e-7) << "batch " << shape.batch << ", tokens " << shape.tokens;
        EXPECT_EQ(toDoubles(next), expected.nextTail) << "batch " << shape.batch << ", tokens " << shape.tokens;
      }
    }
}

TEST(Conv1d, AdjointMatchesDoublesAndIsTheTranspose) {
  for (int64_t channels : {40, 80})
    for (Form form : forms) {
      std::string c = std::to_string(channels), rows = rowsType(channels), tailType = "tensor<?x3x" + c + "xf32>";
      std::string weightType = "tensor<" + c + "x1x4xf32>", flags = "tensor<?x?xi8>";
      std::string types = rows + ", " + weightType + ", " + rows;
      std::string text = "adj.kernel @conv_adjoint {\n^bb0(%x: " + rows + ", %w: " + weightType + ", %dy: " + rows;
      std::string uses;
      auto addOperand = [&](const std::string &keyword, const std::string &type) {
        text += ", %" + keyword + ": " + type;
        uses += " " + keyword + " %" + keyword;
        types += ", " + type;
      };
      if (form.tail) {
        addOperand("tail", tailType);
        addOperand("tail_cotangent", tailType);
      }
      if (form.resets)
        addOperand("resets", flags);
      std::vector<std::string> results{rows, "tensor<?x" + c + "x1x4xf32>"};
      std::string names = "%r0, %r1", segments = "1, 1, ";
      if (form.bias) {
        results.push_back("tensor<?x" + c + "xf32>");
        names += ", %r2";
      }
      if (form.tail) {
        results.push_back(tailType);
        names += ", %r3";
      }
      std::string resultTypes;
      for (const std::string &type : results)
        resultTypes += (resultTypes.empty() ? "" : ", ") + type;
      text += "):\n" + names + " = adj.conv1d_adjoint %x, %w, %dy" + uses + " {resultSegmentSizes = array<i32: 1, 1, " +
              (form.bias ? "1, " : "0, ") + (form.tail ? "1" : "0") + ">} : (" + types + ") -> (" + resultTypes +
              ")\nadj.yield " + names + " : " + resultTypes + "\n}";
      KernelRunner kernel(text);
      for (Shape &shape : getShapes(channels, form.tail, form.resets)) {
        size_t tailSize = form.tail ? shape.batch * (width - 1) * channels : 0;
        Floats x = randomFloats(shape.batch * shape.tokens * channels, 21), weight = randomFloats(channels * width, 22);
        Floats dy = randomFloats(x.size(), 23), tail = randomFloats(tailSize, 24);
        Floats tailCotangent = randomFloats(tailSize, 25);
        Floats dx(x.size(), NAN), dweight(shape.batch * weight.size(), NAN);
        Floats dbias(form.bias ? shape.batch * channels : 0, NAN), dtail(tailSize, NAN);
        std::vector<void *> operands{x.data(), weight.data(), dy.data()};
        if (form.tail)
          operands.insert(operands.end(), {tail.data(), tailCotangent.data()});
        if (form.resets)
          operands.push_back(shape.resets.data());
        operands.insert(operands.end(), {dx.data(), dweight.data()});
        std::vector<Floats *> outputs{&dx, &dweight};
        if (form.bias) {
          operands.push_back(dbias.data());
          outputs.push_back(&dbias);
        }
        if (form.tail) {
          operands.push_back(dtail.data());
          outputs.push_back(&dtail);
        }
        kernel.run(shape.batch, shape.tokens, operands, outputs);
        auto sumBatch = [&](const Floats &partials, size_t size) {
          Floats sums(size);
          for (size_t i = 0; i < partials.size(); ++i)
            sums[i % size] += partials[i];
          return sums;
        };
        Cotangents expected = reverse(shape, x, weight, tail, dy, tailCotangent);
        std::string where = "batch " + std::to_string(shape.batch) + ", tokens " + std::to_string(shape.tokens);
        Floats weightSums = sumBatch(dweight, weight.size());
        EXPECT_LT(relativeError(dx, expected.dx), 5e-7) << where;
        EXPECT_LT(relativeError(weightSums, expected.dweight), 5e-7) << where;
        if (form.bias) {
          EXPECT_LT(relativeError(sumBatch(dbias, channels), expected.dbias), 5e-7) << where;
        }
        EXPECT_LT(relativeError(dtail, expected.dtail), 5e-7) << where;

        // The convolution is linear in (x, tail): <conv(v), (dy, tail_cotangent)> = <v, (dx, dtail)>.
        Floats vx = randomFloats(x.size(), 26), vtail = randomFloats(tailSize, 27);
        Result along = forward(shape, vx, weight, {}, vtail);
        double left = dot(along.y, toDoubles(dy));
        if (form.tail)
          left += dot(along.nextTail, toDoubles(tailCotangent));
        double right = dot(toDoubles(vx), toDoubles(dx)) + dot(toDoubles(vtail), toDoubles(dtail));
        EXPECT_NEAR(left, right, 1e-6 * std::sqrt(double(x.size()))) << where;
      }
    }
}
