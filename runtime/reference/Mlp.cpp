// ssm.mlp: W_down (act(W_gate x) * (W_up x)), or W_down act(W_up x) without a gate; docs/model-section.md.
#include "Gemm.h"
#include "Tape.h"

#include <algorithm>
#include <array>
#include <numbers>
#include <optional>

namespace adjrt::reference {
namespace {

enum Operand { X, Gate, GateBias, Up, UpBias, Down, DownBias, kOperands };
constexpr std::array<const char *, kOperands> kNames = {
    "x", "gate", "the bias of gate", "up", "the bias of up", "down", "the bias of down"};

/// An activation's value and slope.
struct Activation {
  const char *name;
  double (*value)(double);
  double (*slope)(double);
};

double normalDensity(double z) { return std::exp(-z * z / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2; }
double normalDistribution(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

constexpr double kCubic = 0.044715;
const double kTanhScale = std::sqrt(2 * std::numbers::inv_pi);
double tanhOf(double z) { return std::tanh(kTanhScale * (z + kCubic * z * z * z)); }

const std::array<Activation, 3> kActivations = {
    {{"silu", [](double z) { return z * sigmoid(z); },
      [](double z) { return sigmoid(z) * (1 + z * (1 - sigmoid(z))); }},
     {"gelu", [](double z) { return z * normalDistribution(z); },
      [](double z) { return normalDistribution(z) + z * normalDensity(z); }},
     {"gelu_pytorch_tanh", [](double z) { return z * (1 + tanhOf(z)) / 2; },
      [](double z) {
        double t = tanhOf(z);
        return (1 + t) / 2 + z * (1 - t * t) * kTanhScale * (1 + 3 * kCubic * z * z) / 2;
      }}}};

const Activation *activationOf(const fb::NodeT &node) {
  for (const Activation &activation : kActivations)
    if (findAttribute(node, "activation")->text == activation.name)
      return &activation;
  return nullptr;
}

/// The op's operands by role, its sizes, and the intermediate of all rows.
struct Mlp {
  std::int64_t rows, channels, hidden;
  std::array<std::optional<std::size_t>, kOperands> index;
  const Activation *activation;
  std::vector<double> gate, up; ///< W x + bias, before the activation
};

Status check(const fb::ModelT &model, const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"activation", "operand_segments"}));
  const auto &segments = findAttribute(node, "operand_segments")->integers;
  bool valid = segments.size() == kOperands &&
               std::all_of(segments.begin(), segments.end(), [](auto s) { return s == 0 || s == 1; });
  valid = valid && segments[X] && segments[Up] && segments[Down] && segments[Gate] >= segments[GateBias];
  if (!valid || std::count(segments.begin(), segments.end(), 1) != static_cast<std::ptrdiff_t>(node.operands.size()))
    return invalidInput("attribute 'operand_segments' doesn't fit the operands");
  if (!activationOf(node))
    return invalidInput("attribute 'activation' is '" + findAttribute(node, "activation")->text +
                        "', which the reference device doesn't know");
  return checkOneResult(model, node);
}

/// y += x W^T + bias, for W (outs, ins).
void project(const Frame &frame, const Mlp &mlp, Operand weight, Operand bias, std::int64_t ins, std::int64_t outs,
             const double *x, double *y) {
  if (mlp.index[bias])
    for (std::int64_t row = 0; row < mlp.rows; ++row)
      for (std::int64_t o = 0; o < outs; ++o)
        y[row * outs + o] += frame.operand(*mlp.index[bias]).values[o];
  gemm(frame.threads(), mlp.rows, outs, ins, x, Transpose::No, frame.operand(*mlp.index[weight]).values.data(),
       Transpose::Yes, y);
}

/// The cotangents of project's operands: adds to the weight's, the bias's and dx.
void projectBack(Frame &frame, const Mlp &mlp, Operand weight, Operand bias, std::int64_t ins, std::int64_t outs,
                 const double *x, const double *dy, double *dx) {
  gemm(frame.threads(), outs, ins, mlp.rows, dy, Transpose::Yes, x, Transpose::No,
       frame.operandCotangent(*mlp.index[weight]).values.data());
  if (mlp.index[bias])
    for (std::int64_t row = 0; row < mlp.rows; ++row)
      for (std::int64_t o = 0; o < outs; ++o)
        frame.operandCotangent(*mlp.index[bias]).values[o] += dy[row * outs + o];
  gemm(frame.threads(), mlp.rows, ins, outs, dy, Transpose::No, frame.operand(*mlp.index[weight]).values.data(),
       Transpose::No, dx);
}

Expected<Mlp> prepare(Frame &frame) {
  Mlp mlp;
  mlp.activation = activationOf(frame.node());
  const auto &segments = findAttribute(frame.node(), "operand_segments")->integers;
  for (std::size_t role = 0, next = 0; role < kOperands; ++role)
    if (segments[role])
      mlp.index[role] = next++;
  const Tensor &x = frame.operand(0), &weight = frame.operand(*mlp.index[Up]);
  if (x.shape.size() != 3 || weight.shape.size() != 2)
    return frame.error("x has shape " + toString(x.shape) + " and up " + toString(weight.shape) +
                       ", expected (batch, tokens, channels) and (hidden, channels)");
  mlp.rows = frame.rows(), mlp.channels = x.shape[2], mlp.hidden = weight.shape[0];
  const std::int64_t C = mlp.channels, H = mlp.hidden;
  const std::array<std::vector<std::int64_t>, kOperands> expected = {
      {{frame.batch(), frame.tokens(), C}, {H, C}, {H}, {H, C}, {H}, {C, H}, {C}}};
  for (std::size_t role = 0; role < kOperands; ++role)
    if (mlp.index[role])
      ADJ_RETURN_IF_ERROR(frame.expectShape(*mlp.index[role], expected[role], kNames[role]));
  mlp.up.assign(mlp.rows * H, 0.0);
  project(frame, mlp, Up, UpBias, C, H, x.values.data(), mlp.up.data());
  if (mlp.index[Gate]) {
    mlp.gate.assign(mlp.rows * H, 0.0);
    project(frame, mlp, Gate, GateBias, C, H, x.values.data(), mlp.gate.data());
  }
  return mlp;
}

/// What goes into the down projection.
std::vector<double> hiddenOf(const Mlp &mlp) {
  std::vector<double> h(mlp.up.size());
  for (std::size_t i = 0; i < h.size(); ++i)
    h[i] = mlp.gate.empty() ? mlp.activation->value(mlp.up[i]) : mlp.activation->value(mlp.gate[i]) * mlp.up[i];
  return h;
}

Status forward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Mlp mlp, prepare(frame));
  Tensor &y = frame.makeResult(0, frame.operand(0).shape);
  project(frame, mlp, Down, DownBias, mlp.hidden, mlp.channels, hiddenOf(mlp).data(), y.values.data());
  return {};
}

Status backward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Mlp mlp, prepare(frame));
  const double *x = frame.operand(0).values.data();
  double *dx = frame.operandCotangent(0).values.data();
  std::vector<double> dh(mlp.up.size(), 0.0);
  projectBack(frame, mlp, Down, DownBias, mlp.hidden, mlp.channels, hiddenOf(mlp).data(),
              frame.resultCotangent(0)->values.data(), dh.data());
  std::vector<double> dUp(dh.size()), dGate(mlp.gate.size());
  for (std::size_t i = 0; i < dh.size(); ++i)
    if (mlp.gate.empty()) {
      dUp[i] = dh[i] * mlp.activation->slope(mlp.up[i]);
    } else {
      dUp[i] = dh[i] * mlp.activation->value(mlp.gate[i]);
      dGate[i] = dh[i] * mlp.up[i] * mlp.activation->slope(mlp.gate[i]);
    }
  projectBack(frame, mlp, Up, UpBias, mlp.channels, mlp.hidden, x, dUp.data(), dx);
  if (!mlp.gate.empty())
    projectBack(frame, mlp, Gate, GateBias, mlp.channels, mlp.hidden, x, dGate.data(), dx);
  return {};
}

} // namespace

const Operation kMlp = {"ssm.mlp", 3, 7, IntegerOperand::None, false, check, forward, backward};

} // namespace adjrt::reference
