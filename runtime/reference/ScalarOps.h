// ScalarOps.h - the scalar functions of a scan's regions and their derivatives, in tables.
#ifndef ADJRT_REFERENCE_SCALAROPS_H
#define ADJRT_REFERENCE_SCALAROPS_H

#include <complex>
#include <string_view>

namespace adjrt::reference {

using Complex = std::complex<double>;

/// A function of one number (double or Complex) and its derivative, given argument and value.
template <typename T> struct Unary {
  const char *name;
  T (*value)(T x);
  T (*derivative)(T x, T y);
};

/// A function of two numbers and its partial derivatives, given the arguments and the value.
template <typename T> struct Binary {
  const char *name;
  T (*value)(T x, T y);
  T (*byX)(T x, T y, T r);
  T (*byY)(T x, T y, T r);
};

/// nullptr: no such op.
template <typename T> const Unary<T> *findUnary(std::string_view name);
template <typename T> const Binary<T> *findBinary(std::string_view name);

/// The comparison that an arith.cmpf predicate names; nullptr: no such predicate.
using Comparison = bool (*)(double x, double y);
Comparison findComparison(std::string_view predicate);

} // namespace adjrt::reference

#endif
