//===- Tape.h - reverse-mode differentiation of plain loops, in double --------------------------------*- C++ -*-===//
//
// What judges the scan kernels: loops written with `Var` know their own gradient, by the chain rule alone.
//
//===----------------------------------------------------------------------------------------------------------------===//
#ifndef ADJC_TEST_TAPE_H
#define ADJC_TEST_TAPE_H

#include <cmath>
#include <vector>

namespace tape {

struct Node {
  int parents[2] = {-1, -1};
  double slopes[2] = {0, 0};
};
inline std::vector<Node> nodes;

/// A number that remembers how it was made.
struct Var {
  double value = 0;
  int node = -1; ///< a constant
  Var(double value = 0) : value(value) {}
};

inline Var record(double value, Var a, double da, Var b = {}, double db = 0) {
  Var result(value);
  result.node = static_cast<int>(nodes.size());
  nodes.push_back({{a.node, b.node}, {da, db}});
  return result;
}
/// A number whose gradient is asked for.
inline Var variable(double value) { return record(value, {}, 0); }

inline Var operator+(Var a, Var b) { return record(a.value + b.value, a, 1, b, 1); }
inline Var operator-(Var a, Var b) { return record(a.value - b.value, a, 1, b, -1); }
inline Var operator*(Var a, Var b) { return record(a.value * b.value, a, b.value, b, a.value); }
inline Var operator/(Var a, Var b) {
  return record(a.value / b.value, a, 1 / b.value, b, -a.value / (b.value * b.value));
}
inline Var exp(Var a) { return record(std::exp(a.value), a, std::exp(a.value)); }
inline Var tanh(Var a) { return record(std::tanh(a.value), a, 1 - std::tanh(a.value) * std::tanh(a.value)); }
inline Var softplus(Var a) { return record(std::log1p(std::exp(a.value)), a, 1 / (1 + std::exp(-a.value))); }
inline Var sigmoid(Var a) {
  double s = 1 / (1 + std::exp(-a.value));
  return record(s, a, s * (1 - s));
}

/// The derivative of `loss` by every recorded number.
inline std::vector<double> gradients(Var loss) {
  std::vector<double> result(nodes.size(), 0.0);
  if (loss.node < 0)
    return result;
  result[loss.node] = 1;
  for (int i = loss.node; i >= 0; --i)
    for (int side = 0; side < 2; ++side)
      if (nodes[i].parents[side] >= 0)
        result[nodes[i].parents[side]] += nodes[i].slopes[side] * result[i];
  return result;
}

} // namespace tape

#endif
