// ssm.selective_scan: Mamba-1's recurrence, docs/model-section.md. Carries the state h.
#include "Parallel.h"
#include "Tape.h"

#include <algorithm>
#include <array>
#include <optional>

namespace adjrt::reference {
namespace {

enum Operand { X, Dt, ALog, B, C, D, Z, DtBias };

/// The op's operands by role, and its sizes.
struct Scan {
  std::int64_t batch, tokens, channels, states;
  std::array<std::optional<std::size_t>, 8> index; ///< of each role among the node's operands
  std::array<const double *, 8> value = {};
  std::array<double *, 8> cotangent = {};
  std::vector<double> rate; ///< exp(A_log): A is its negative
  const Tensor *initial = nullptr;

  [[nodiscard]] double work() const {
    constexpr double kExpInMultiplyAdds = 10;
    return static_cast<double>(batch * tokens) * static_cast<double>(channels * states) * kExpInMultiplyAdds;
  }
  [[nodiscard]] std::vector<std::int64_t> stateShape() const { return {batch, channels, states}; }
  [[nodiscard]] double initialState(std::int64_t b, std::int64_t d, std::int64_t n) const {
    return initial ? initial->values[(b * channels + d) * states + n] : 0;
  }
};

Status check(const fb::ModelT &model, const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"operand_segments"}));
  const auto &segments = findAttribute(node, "operand_segments")->integers;
  bool valid = segments.size() == 8 &&
               std::all_of(segments.begin(), segments.begin() + 5, [](auto s) { return s == 1; }) &&
               std::all_of(segments.begin(), segments.end(), [](auto s) { return s == 0 || s == 1; });
  if (!valid || std::count(segments.begin(), segments.end(), 1) != static_cast<std::ptrdiff_t>(node.operands.size()))
    return invalidInput("attribute 'operand_segments' doesn't fit the operands");
  return checkOneResult(model, node);
}

Expected<Scan> prepare(Frame &frame) {
  Scan scan;
  const auto &segments = findAttribute(frame.node(), "operand_segments")->integers;
  for (std::size_t role = 0, next = 0; role < 8; ++role)
    if (segments[role])
      scan.index[role] = next++;
  const Tensor &x = frame.operand(0), &aLog = frame.operand(2);
  if (x.shape.size() != 3 || aLog.shape.size() != 2)
    return frame.error("x has shape " + toString(x.shape) + " and A_log " + toString(aLog.shape) +
                       ", expected (batch, tokens, channels) and (channels, states)");
  scan.batch = frame.batch(), scan.tokens = frame.tokens(), scan.channels = x.shape[2], scan.states = aLog.shape[1];
  using Shape = std::vector<std::int64_t>;
  Shape wide = {scan.batch, scan.tokens, scan.channels}, narrow = {scan.batch, scan.tokens, scan.states},
        channels = {scan.channels};
  const std::array<std::pair<const char *, Shape>, 8> expected = {{{"x", wide},
                                                                   {"dt", wide},
                                                                   {"A_log", {scan.channels, scan.states}},
                                                                   {"B", narrow},
                                                                   {"C", narrow},
                                                                   {"D", channels},
                                                                   {"z", wide},
                                                                   {"dt_bias", channels}}};
  for (std::size_t role = 0; role < 8; ++role)
    if (scan.index[role]) {
      ADJ_RETURN_IF_ERROR(frame.expectShape(*scan.index[role], expected[role].second, expected[role].first));
      scan.value[role] = frame.operand(*scan.index[role]).values.data();
    }
  scan.rate.resize(aLog.values.size());
  std::transform(aLog.values.begin(), aLog.values.end(), scan.rate.begin(), [](double a) { return std::exp(a); });
  ADJ_ASSIGN_OR_RETURN(scan.initial, frame.initialState(scan.stateShape()));
  return scan;
}

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

/// The states of one channel of one sequence: h[(t + 1) * states + n], row 0 the initial state; and delta per token.
struct ChannelStates {
  std::vector<double> h, delta;

  void compute(const Frame &frame, const Scan &scan, std::int64_t b, std::int64_t d) {
    std::int64_t N = scan.states;
    h.resize((scan.tokens + 1) * N);
    delta.resize(scan.tokens);
    for (std::int64_t n = 0; n < N; ++n)
      h[n] = scan.initialState(b, d, n);
    for (std::int64_t t = 0; t < scan.tokens; ++t) {
      std::int64_t row = b * scan.tokens + t, at = row * scan.channels + d;
      bool reset = frame.evaluation.reset(b, t);
      delta[t] = softplus(scan.value[Dt][at] + (scan.value[DtBias] ? scan.value[DtBias][d] : 0));
      for (std::int64_t n = 0; n < N; ++n) {
        double a = std::exp(-delta[t] * scan.rate[d * N + n]);
        h[(t + 1) * N + n] = (reset ? 0 : a * h[t * N + n]) + delta[t] * scan.value[X][at] * scan.value[B][row * N + n];
      }
    }
  }
};

Status forward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Scan scan, prepare(frame));
  Tensor &y = frame.makeResult(0, frame.operand(0).shape);
  Tensor finalState(scan.stateShape());
  std::int64_t N = scan.states;
  parallelFor(frame.threads(), scan.channels, scan.work(), [&](std::int64_t first, std::int64_t last) {
    ChannelStates states;
    for (std::int64_t d = first; d < last; ++d)
      for (std::int64_t b = 0; b < scan.batch; ++b) {
        states.compute(frame, scan, b, d);
        for (std::int64_t t = 0; t < scan.tokens; ++t) {
          std::int64_t row = b * scan.tokens + t, at = row * scan.channels + d;
          double out = scan.value[D] ? scan.value[D][d] * scan.value[X][at] : 0;
          for (std::int64_t n = 0; n < N; ++n)
            out += scan.value[C][row * N + n] * states.h[(t + 1) * N + n];
          if (scan.value[Z])
            out *= scan.value[Z][at] * sigmoid(scan.value[Z][at]);
          y.values[at] = out;
        }
        std::copy_n(&states.h[scan.tokens * N], N, &finalState.values[(b * scan.channels + d) * N]);
      }
  });
  frame.finalState() = std::move(finalState);
  return {};
}

/// Cotangents of one channel of one sequence; those of B and C go to `dB` and `dC`, which no other thread touches.
void channelBackward(const Frame &frame, const Scan &scan, const ChannelStates &states, const Tensor *g,
                     const Tensor *dFinal, std::int64_t b, std::int64_t d, double *dB, double *dC, double *dInitial) {
  std::int64_t N = scan.states;
  const auto &value = scan.value;
  const auto &cotangent = scan.cotangent;
  // What the tokens after t say about h_t; a^T of the adjoint at t + 1.
  std::vector<double> carried(N, 0.0);
  if (dFinal)
    std::copy_n(&dFinal->values[(b * scan.channels + d) * N], N, carried.begin());
  for (std::int64_t t = scan.tokens - 1; t >= 0; --t) {
    std::int64_t row = b * scan.tokens + t, at = row * scan.channels + d;
    bool reset = frame.evaluation.reset(b, t);
    const double *h = &states.h[(t + 1) * N], *before = &states.h[t * N], *rowB = &value[B][row * N],
                 *rowC = &value[C][row * N];
    double x = value[X][at], delta = states.delta[t], gy = g ? g->values[at] : 0, dx = 0, dDelta = 0;
    if (value[Z]) {
      double z = value[Z][at], s = sigmoid(z), out = value[D] ? value[D][d] * x : 0;
      for (std::int64_t n = 0; n < N; ++n)
        out += rowC[n] * h[n];
      cotangent[Z][at] += gy * out * s * (1 + z * (1 - s));
      gy *= z * s;
    }
    if (value[D]) {
      cotangent[D][d] += gy * x;
      dx += gy * value[D][d];
    }
    for (std::int64_t n = 0; n < N; ++n) {
      double A = -scan.rate[d * N + n], a = std::exp(delta * A);
      double p = carried[n] + gy * rowC[n]; // dL/dh_t
      dC[row * N + n] += gy * h[n];
      double da = reset ? 0 : p * before[n];
      dDelta += da * a * A + p * x * rowB[n];
      cotangent[ALog][d * N + n] += da * a * delta * A;
      dx += p * delta * rowB[n];
      dB[row * N + n] += p * delta * x;
      carried[n] = reset ? 0 : a * p;
    }
    cotangent[X][at] += dx;
    double dDt = dDelta * sigmoid(value[Dt][at] + (value[DtBias] ? value[DtBias][d] : 0));
    cotangent[Dt][at] += dDt;
    if (value[DtBias])
      cotangent[DtBias][d] += dDt;
  }
  std::copy_n(carried.begin(), N, dInitial + (b * scan.channels + d) * N);
}

Status backward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Scan scan, prepare(frame));
  ADJ_ASSIGN_OR_RETURN(const Tensor *dFinal, frame.finalStateCotangent(scan.stateShape()));
  const Tensor *g = frame.resultCotangent(0);
  for (std::size_t role = 0; role < 8; ++role)
    if (scan.index[role])
      scan.cotangent[role] = frame.operandCotangent(*scan.index[role]).values.data();
  Tensor dInitial(scan.stateShape());
  // B's and C's cotangents are sums over channels: fixed pieces of the channels, so that the threads don't change the
  // sum.
  std::int64_t pieces = std::min<std::int64_t>(scan.channels, 8), narrow = scan.batch * scan.tokens * scan.states;
  std::vector<std::vector<double>> dB(pieces), dC(pieces);
  parallelFor(frame.threads(), pieces, 2 * scan.work(), [&](std::int64_t first, std::int64_t last) {
    ChannelStates states;
    for (std::int64_t piece = first; piece < last; ++piece) {
      dB[piece].assign(narrow, 0.0);
      dC[piece].assign(narrow, 0.0);
      for (std::int64_t d = scan.channels * piece / pieces; d < scan.channels * (piece + 1) / pieces; ++d)
        for (std::int64_t b = 0; b < scan.batch; ++b) {
          states.compute(frame, scan, b, d);
          channelBackward(frame, scan, states, g, dFinal, b, d, dB[piece].data(), dC[piece].data(),
                          dInitial.values.data());
        }
    }
  });
  for (std::int64_t piece = 0; piece < pieces; ++piece)
    for (std::int64_t i = 0; i < narrow; ++i) {
      scan.cotangent[B][i] += dB[piece][i];
      scan.cotangent[C][i] += dC[piece][i];
    }
  frame.initialStateCotangent() = std::move(dInitial);
  return {};
}

} // namespace

const Operation kSelectiveScan = {"ssm.selective_scan", 5, 8, IntegerOperand::None, true, check, forward, backward};

} // namespace adjrt::reference
