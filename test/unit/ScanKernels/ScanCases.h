//===- ScanCases.h - recurrences to test, each with the plain loops that it means ---------------------*- C++ -*-===//
#ifndef ADJC_TEST_SCANCASES_H
#define ADJC_TEST_SCANCASES_H

#include "ScanHarness.h"
#include "Tape.h"

#include <functional>

/// Values of a tensor, in row-major order of its dimensions' letters.
struct ScanTensor {
  std::string dims;
  std::vector<int64_t> shape;
  std::vector<tape::Var> values;
  /// The element at the coordinates that `point` gives to the letters.
  tape::Var &at(const std::map<char, int64_t> &point) {
    int64_t index = 0;
    for (size_t i = 0; i < dims.size(); ++i)
      index = index * shape[i] + point.at(dims[i]);
    return values[index];
  }
};

/// A recurrence and what it means.
struct ScanModel {
  ScanCase scan;
  using Point = std::map<char, int64_t>;
  /// The scalar of an input, or of the state after this token ("h"), at the current point with `extra` coordinates.
  struct Read {
    std::function<tape::Var(const std::string &, const Point &)> get;
    tape::Var operator()(const std::string &name, const Point &extra = {}) const { return get(name, extra); }
  };
  /// Transition and input term.
  std::function<std::pair<tape::Var, tape::Var>(const Read &, bool reset)> step;
  /// Output number `output` at a point of its map.
  std::function<tape::Var(int output, const Read &)> read;
};

/// Runs the plain loops from the state `initial`; returns the outputs and the final state.
std::pair<std::vector<ScanTensor>, ScanTensor> evaluate(const ScanModel &model, std::vector<ScanTensor> inputs,
                                                        ScanTensor initial, const std::vector<int8_t> &resets,
                                                        int64_t batch, int64_t tokens);

/// Mamba's selective scan with skip, gate and bias: (b, t, d, n).
ScanModel mambaModel(int64_t channels, int64_t states);
/// One scalar transition per head, as in SSD: (b, t, h, p, n). B, C and the bias are shared by all heads.
ScanModel ssdModel(int64_t heads, int64_t channels, int64_t states);
/// A gated recurrence without further state dimensions, whose input term depends on the reset: (b, t, d).
ScanModel gatedModel(int64_t channels);
/// An input per point with the lanes not contiguous, and two outputs: (b, t, d, n) with dt as (b, t, d, n) and w as (b,
/// t, n, d).
ScanModel fullRankModel(int64_t channels, int64_t states);

/// A dense transition, tanh(W[n, m]) scaled by a token's gate, for every channel: (b, t, d, n, m). The lane is n or d.
ScanModel denseModel(int64_t channels, int64_t states, char lane);
/// Outputs and an input term with a dimension of their own, as in S5: h[n] = a[n] h[n] + sum_p B[n, p] x[p], y[q] =
/// sum_n C[q, n] h[n].
ScanModel ownDimensionsModel(int64_t states, int64_t outputs);

#endif
