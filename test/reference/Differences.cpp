#include "Differences.h"

namespace adjrt::reference::test {

static double lossAlong(const ReferenceModel &model, NamedTensors &parameters, const std::string &name,
                        const std::vector<double> &direction, double step, const Batch &batch) {
  std::vector<double> &values = parameters.at(name).values;
  const std::vector<double> before = values;
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] += step * direction[i];
  auto loss = model.loss(parameters, batch);
  values = before;
  if (!loss) {
    ADD_FAILURE() << loss.error().message;
    return 0;
  }
  return *loss;
}

void expectGradientsMatchDifferences(const ReferenceModel &model, NamedTensors parameters, const Batch &batch,
                                     double tolerance) {
  auto result = model.valueAndGrad(parameters, batch);
  ASSERT_TRUE(result) << result.error().message;
  auto loss = model.loss(parameters, batch);
  ASSERT_TRUE(loss) << loss.error().message;
  EXPECT_EQ(result->loss, *loss);
  std::mt19937_64 random(17);
  std::normal_distribution<double> normal;
  for (const auto &[name, gradient] : result->gradients)
    for (int repetition = 0; repetition < 2; ++repetition) {
      std::vector<double> direction(gradient.values.size());
      double along = 0, norm = 0;
      for (std::size_t i = 0; i < direction.size(); ++i) {
        direction[i] = normal(random);
        along += direction[i] * gradient.values[i];
        norm += gradient.values[i] * gradient.values[i];
      }
      auto difference = [&](double step) {
        return (lossAlong(model, parameters, name, direction, step, batch) -
                lossAlong(model, parameters, name, direction, -step, batch)) /
               (2 * step);
      };
      constexpr double kStep = 1e-3;
      double measured = (4 * difference(kStep / 2) - difference(kStep)) / 3;
      // Rounding of the loss shows as 1e-16 / step; the rest is relative to the gradient.
      EXPECT_NEAR(measured, along, tolerance * std::sqrt(norm) + 1e-11) << name;
    }
}

} // namespace adjrt::reference::test
