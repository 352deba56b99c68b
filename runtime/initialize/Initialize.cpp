// The kinds of initializers of runtime/schema/adjm.fbs.
#include "adjrt/initialize/Initialize.h"
#include "PortableMath.h"
#include "adjrt/initialize/Random.h"

#include <algorithm>
#include <cmath>
#include <functional>

using namespace adjrt;

namespace {
/// The value of one element; an error when the initializer's numbers make no sense.
Expected<std::function<double(std::uint64_t)>> makeGenerator(const fb::Parameter &parameter, std::uint64_t seed) {
  const fb::Initializer *initializer = parameter.initializer();
  if (!initializer)
    return invalidInput("has no initializer; give one in the spec, or give parameters with --params");
  std::string kind = initializer->kind()->str();
  double a = initializer->a(), b = initializer->b(), c = initializer->c();
  auto wrong = [&](const std::string &what) { return invalidInput("its initializer '" + kind + "' " + what); };
  if (!std::isfinite(a) || !std::isfinite(b) || !std::isfinite(c))
    return wrong("has a number that is not finite");
  RandomStream random(seed, parameter.name()->string_view());
  if (kind == "zeros")
    return [](std::uint64_t) { return 0.0; };
  if (kind == "ones")
    return [](std::uint64_t) { return 1.0; };
  if (kind == "constant")
    return [a](std::uint64_t) { return a; };
  if (kind == "normal") {
    if (b < 0)
      return wrong("has a negative standard deviation");
    return [=](std::uint64_t i) { return a + b * random.normal(i); };
  }
  if (kind == "uniform") {
    if (b < a)
      return wrong("has its range upside down");
    return [=](std::uint64_t i) { return a + (b - a) * random.uniform(i); };
  }
  const auto *shape = parameter.shape();
  std::uint64_t columns = shape && shape->size() ? static_cast<std::uint64_t>(shape->Get(shape->size() - 1)) : 1;
  if (kind == "arange")
    return [=](std::uint64_t i) { return a + b * static_cast<double>(i % columns); };
  if (kind == "a_log")
    return [=](std::uint64_t i) { return portableLog(static_cast<double>(i % columns + 1)); };
  if (kind == "dt_bias") {
    if (!(a > 0 && b >= a && b < 700 && c >= 0 && c < 700))
      return wrong("needs 0 < a <= b < 700 and 0 <= c < 700");
    return [=](std::uint64_t i) {
      double low = portableLog(a), high = portableLog(b);
      double dt = std::max(portableExp(low + (high - low) * random.uniform(i)), c);
      return dt + portableLog(1 - portableExp(-dt)); // softplus of it is dt
    };
  }
  return wrong("is not known; zeros, ones, constant, normal, uniform, arange, a_log and dt_bias are");
}
} // namespace

Status adjrt::initializeParameter(const fb::Parameter &parameter, std::uint64_t seed, std::span<float> values,
                                  std::uint64_t first) {
  auto generator = makeGenerator(parameter, seed);
  if (!generator)
    return tl::unexpected(generator.error().in("parameter '" + parameter.name()->str() + "'"));
  for (std::size_t i = 0; i != values.size(); ++i)
    values[i] = static_cast<float>((*generator)(first + i));
  return {};
}
