// Series on small reduced arguments. Compiled without contraction into fused multiply-adds (see CMakeLists.txt).
#include "PortableMath.h"

#include <cmath>
#include <numbers>

using namespace adjrt;

double adjrt::portableLog(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent); // exact; in [0.5, 1)
  if (mantissa < std::numbers::sqrt2 / 2) {
    mantissa *= 2;
    --exponent;
  }
  // log m = 2 artanh(f), f = (m - 1) / (m + 1), |f| < 0.172
  double f = (mantissa - 1) / (mantissa + 1), square = f * f, sum = 0;
  for (int k = 25; k >= 1; k -= 2)
    sum = sum * square + 1.0 / k;
  return exponent * std::numbers::ln2 + 2 * f * sum;
}

double adjrt::portableExp(double x) {
  // ln 2 in two parts: the first has so few bits that its product with a small integer is exact.
  constexpr double kHigh = 0x1.62e42feep-1, kLow = 0x1.a39ef35793c76p-33;
  double k = std::floor(x / std::numbers::ln2 + 0.5);
  double r = (x - k * kHigh) - k * kLow, sum = 1;
  for (int n = 16; n >= 1; --n)
    sum = 1 + r / n * sum;
  return std::ldexp(sum, static_cast<int>(k));
}

SineCosine adjrt::portableSineCosine(double u) {
  int quarter = static_cast<int>(std::floor(4 * u + 0.5));
  double angle = (u - quarter * 0.25) * (2 * std::numbers::pi), square = angle * angle; // |angle| <= pi / 4
  double sine = 1, cosine = 1;
  for (int n = 8; n >= 1; --n) {
    sine = 1 - square / (2 * n * (2 * n + 1)) * sine;
    cosine = 1 - square / (2 * n * (2 * n - 1)) * cosine;
  }
  sine *= angle;
  switch (quarter % 4) {
  case 0:
    return {sine, cosine};
  case 1:
    return {cosine, -sine};
  case 2:
    return {-sine, -cosine};
  default:
    return {-cosine, sine};
  }
}
