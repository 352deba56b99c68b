#include "ScalarOps.h"

#include <cmath>
#include <numbers>

namespace adjrt::reference {
namespace {

using std::numbers::ln2;
constexpr double kTwoOverSqrtPi = 2 * std::numbers::inv_sqrtpi;

double none(double, double, double) { return 0; }

const Unary<double> kRealUnary[] = {
    {"arith.negf", [](double x) { return -x; }, [](double, double) { return -1.0; }},
    {"math.exp", [](double x) { return std::exp(x); }, [](double, double y) { return y; }},
    {"math.exp2", [](double x) { return std::exp2(x); }, [](double, double y) { return ln2 * y; }},
    {"math.expm1", [](double x) { return std::expm1(x); }, [](double x, double) { return std::exp(x); }},
    {"math.log", [](double x) { return std::log(x); }, [](double x, double) { return 1 / x; }},
    {"math.log2", [](double x) { return std::log2(x); }, [](double x, double) { return 1 / (x * ln2); }},
    {"math.log1p", [](double x) { return std::log1p(x); }, [](double x, double) { return 1 / (1 + x); }},
    {"math.sqrt", [](double x) { return std::sqrt(x); }, [](double, double y) { return 0.5 / y; }},
    {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }, [](double x, double y) { return -0.5 * y / x; }},
    {"math.tanh", [](double x) { return std::tanh(x); }, [](double, double y) { return 1 - y * y; }},
    {"math.sin", [](double x) { return std::sin(x); }, [](double x, double) { return std::cos(x); }},
    {"math.cos", [](double x) { return std::cos(x); }, [](double x, double) { return -std::sin(x); }},
    {"math.erf", [](double x) { return std::erf(x); },
     [](double x, double) { return kTwoOverSqrtPi * std::exp(-x * x); }},
    {"arith.uitofp", [](double x) { return x; }, [](double, double) { return 0.0; }},
    {"math.absf", [](double x) { return std::fabs(x); },
     [](double x, double) { return static_cast<double>((x > 0) - (x < 0)); }},
};

const Binary<double> kRealBinary[] = {
    {"arith.addf", [](double x, double y) { return x + y; }, [](double, double, double) { return 1.0; },
     [](double, double, double) { return 1.0; }},
    {"arith.subf", [](double x, double y) { return x - y; }, [](double, double, double) { return 1.0; },
     [](double, double, double) { return -1.0; }},
    {"arith.mulf", [](double x, double y) { return x * y; }, [](double, double y, double) { return y; },
     [](double x, double, double) { return x; }},
    {"arith.divf", [](double x, double y) { return x / y; }, [](double, double y, double) { return 1 / y; },
     [](double, double y, double r) { return -r / y; }},
    {"arith.maximumf", [](double x, double y) { return std::isnan(x) || x >= y ? x : y; },
     [](double x, double y, double) { return x >= y ? 1.0 : 0.0; },
     [](double x, double y, double) { return x >= y ? 0.0 : 1.0; }},
    {"arith.minimumf", [](double x, double y) { return std::isnan(x) || x <= y ? x : y; },
     [](double x, double y, double) { return x <= y ? 1.0 : 0.0; },
     [](double x, double y, double) { return x <= y ? 0.0 : 1.0; }},
    {"arith.maxnumf", [](double x, double y) { return std::fmax(x, y); },
     [](double x, double y, double) { return x >= y ? 1.0 : 0.0; },
     [](double x, double y, double) { return x >= y ? 0.0 : 1.0; }},
    {"arith.minnumf", [](double x, double y) { return std::fmin(x, y); },
     [](double x, double y, double) { return x <= y ? 1.0 : 0.0; },
     [](double x, double y, double) { return x <= y ? 0.0 : 1.0; }},
    {"math.powf", [](double x, double y) { return std::pow(x, y); },
     [](double x, double y, double) { return y == 0 ? 0 : y * std::pow(x, y - 1); },
     [](double x, double, double r) { return x > 0 ? r * std::log(x) : 0; }},
    {"arith.andi", [](double x, double y) { return x != 0 && y != 0 ? 1.0 : 0.0; }, none, none},
    {"arith.ori", [](double x, double y) { return x != 0 || y != 0 ? 1.0 : 0.0; }, none, none},
    {"arith.xori", [](double x, double y) { return (x != 0) != (y != 0) ? 1.0 : 0.0; }, none, none},
};

const Unary<Complex> kComplexUnary[] = {
    {"complex.neg", [](Complex z) { return -z; }, [](Complex, Complex) { return Complex(-1); }},
    {"complex.exp", [](Complex z) { return std::exp(z); }, [](Complex, Complex w) { return w; }},
    {"complex.expm1",
     [](Complex z) {
       double half = std::sin(z.imag() / 2);
       return Complex(std::expm1(z.real()) * std::cos(z.imag()) - 2 * half * half,
                      std::exp(z.real()) * std::sin(z.imag()));
     },
     [](Complex, Complex w) { return w + 1.0; }},
};

const Binary<Complex> kComplexBinary[] = {
    {"complex.add", [](Complex x, Complex y) { return x + y; }, [](Complex, Complex, Complex) { return Complex(1); },
     [](Complex, Complex, Complex) { return Complex(1); }},
    {"complex.sub", [](Complex x, Complex y) { return x - y; }, [](Complex, Complex, Complex) { return Complex(1); },
     [](Complex, Complex, Complex) { return Complex(-1); }},
    {"complex.mul", [](Complex x, Complex y) { return x * y; }, [](Complex, Complex y, Complex) { return y; },
     [](Complex x, Complex, Complex) { return x; }},
    {"complex.div", [](Complex x, Complex y) { return x / y; }, [](Complex, Complex y, Complex) { return 1.0 / y; },
     [](Complex, Complex y, Complex r) { return -r / y; }},
};

template <typename Table> auto find(const Table &table, std::string_view name) -> decltype(&table[0]) {
  for (const auto &entry : table)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

} // namespace

template <> const Unary<double> *findUnary<double>(std::string_view name) { return find(kRealUnary, name); }
template <> const Binary<double> *findBinary<double>(std::string_view name) { return find(kRealBinary, name); }
template <> const Unary<Complex> *findUnary<Complex>(std::string_view name) { return find(kComplexUnary, name); }
template <> const Binary<Complex> *findBinary<Complex>(std::string_view name) { return find(kComplexBinary, name); }

Comparison findComparison(std::string_view predicate) {
  struct Entry {
    const char *name;
    Comparison compare;
  };
  static const Entry kComparisons[] = {
      {"oeq", [](double x, double y) { return x == y; }},
      {"one", [](double x, double y) { return x < y || x > y; }},
      {"olt", [](double x, double y) { return x < y; }},
      {"ole", [](double x, double y) { return x <= y; }},
      {"ogt", [](double x, double y) { return x > y; }},
      {"oge", [](double x, double y) { return x >= y; }},
      {"ord", [](double x, double y) { return !std::isnan(x) && !std::isnan(y); }},
      {"ueq", [](double x, double y) { return !(x < y || x > y); }},
      {"une", [](double x, double y) { return x != y; }},
      {"ult", [](double x, double y) { return !(x >= y); }},
      {"ule", [](double x, double y) { return !(x > y); }},
      {"ugt", [](double x, double y) { return !(x <= y); }},
      {"uge", [](double x, double y) { return !(x < y); }},
      {"uno", [](double x, double y) { return std::isnan(x) || std::isnan(y); }},
  };
  const Entry *found = find(kComparisons, predicate);
  return found ? found->compare : nullptr;
}

} // namespace adjrt::reference
