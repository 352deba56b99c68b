// Elementary functions from additions, multiplications and divisions alone, which IEEE 754 fixes bit for bit: a C
// library's log differs in its last bit from another's, and a seed must mean the same parameters everywhere. Relative
// error below 1e-14.
#ifndef ADJRT_INITIALIZE_PORTABLEMATH_H
#define ADJRT_INITIALIZE_PORTABLEMATH_H

namespace adjrt {

/// Natural logarithm of a positive normal number.
double portableLog(double x);
/// e^x for |x| < 700.
double portableExp(double x);
struct SineCosine {
  double sine, cosine;
};
/// sin and cos of 2 pi u, u in [0, 1].
SineCosine portableSineCosine(double u);

} // namespace adjrt

#endif
