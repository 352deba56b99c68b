// f'(0) = (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h + O(h^4).
#include "FiniteDifferences.h"
#include "adjrt/initialize/Random.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace adjrt;
using namespace adjrun;

static double norm(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value * value;
  return std::sqrt(sum);
}

Expected<SlopeError> adjrun::checkSlope(const reference::ReferenceModel &model, reference::NamedTensors &parameters,
                                        const reference::Batch &batch, const reference::NamedTensors &gradients,
                                        const std::vector<std::string> &names, std::uint64_t seed) {
  // The gradient gives the direction a slope that stands out from rounding; the random half sees what the gradient
  // lacks.
  std::vector<double> point, gradient, random;
  for (const std::string &name : names) {
    const std::vector<double> &values = parameters.at(name).values, &slopes = gradients.at(name).values;
    RandomStream stream(seed, name);
    for (std::size_t i = 0; i != values.size(); ++i)
      random.push_back(stream.normal(i));
    point.insert(point.end(), values.begin(), values.end());
    gradient.insert(gradient.end(), slopes.begin(), slopes.end());
  }
  double gradientNorm = norm(gradient), randomNorm = norm(random), expected = 0;
  std::vector<double> direction(point.size());
  for (std::size_t i = 0; i != point.size(); ++i) {
    direction[i] = random[i] / randomNorm + (gradientNorm > 0 ? gradient[i] / gradientNorm : 0);
    expected += direction[i] * gradient[i];
  }
  auto moveTo = [&](double distance) {
    std::size_t at = 0;
    for (const std::string &name : names)
      for (double &value : parameters.at(name).values) {
        value = distance == 0 ? point[at] : point[at] + distance * direction[at];
        ++at;
      }
  };
  auto compare = [&](double step) -> Expected<SlopeError> {
    std::array<double, 4> losses{};
    for (int i = 0; i != 4; ++i) {
      moveTo((i < 2 ? 1 : 2) * (i % 2 == 0 ? step : -step));
      Expected<double> loss = model.loss(parameters, batch);
      moveTo(0);
      if (!loss)
        return tl::unexpected(std::move(loss).error());
      losses[static_cast<std::size_t>(i)] = *loss;
    }
    double slope = (8 * (losses[0] - losses[1]) - (losses[2] - losses[3])) / (12 * step);
    double difference = std::abs(slope - expected), rounding = 1e-14 * std::abs(losses[0]) / step;
    SlopeError error;
    error.relative = gradientNorm > 0 ? difference / gradientNorm : difference;
    error.ok = difference <= kSlopeBound * gradientNorm + rounding;
    return error;
  };
  // Over many tokens a loss may turn within a step (the phase of a complex recurrence is a multiple of its parameter):
  // what a step is too long for, a shorter one sees. A wrong gradient is off at every length.
  double step = 1e-3 * std::max(norm(point) / std::sqrt(static_cast<double>(point.size())), 0.1);
  ADJ_ASSIGN_OR_RETURN(SlopeError best, compare(step));
  for (int shorter = 0; shorter != 2 && !best.ok; ++shorter) {
    step /= 16;
    ADJ_ASSIGN_OR_RETURN(const SlopeError next, compare(step));
    if (next.ok || next.relative < best.relative)
      best = next;
  }
  return best;
}
