//===- KernelRunner.h - compiles a kernel from text and runs it ---------------------------------------*- C++ -*-===//
#ifndef ADJC_TEST_UNIT_KERNELS_KERNELRUNNER_H
#define ADJC_TEST_UNIT_KERNELS_KERNELRUNNER_H

#include "adjc/Kernels/KernelGrid.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace adjc::test {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/// The only adj.kernel of `text`, through adj-lower-kernels, the CPU target and dlopen. A failure fails the test.
class KernelRunner {
public:
  explicit KernelRunner(const std::string &text) { build(text); }
  ~KernelRunner();
  KernelRunner(const KernelRunner &) = delete;

  bool isReady() const { return function != nullptr; }
  /// Runs all groups for this shape. `operands`: inputs, then outputs. `rows` is batch * tokens unless given. Runs the
  /// groups twice, first one by one from the last to the first, then all in one call, and expects the same bits: groups
  /// depend on neither order nor calls. `outputs` lists the vectors that the kernel writes (restored in between).
  void run(int64_t batch, int64_t tokens, const std::vector<void *> &operands, const std::vector<Floats *> &outputs,
           int64_t rows = -1) const;
  int64_t getGroups(int64_t batch, int64_t tokens, int64_t rows) const;

private:
  void build(const std::string &text);

  KernelGrid grid;
  int file = -1; ///< open as long as the library: dlopen knows one by its path, which has the number
  void *library = nullptr;
  void *function = nullptr;
};

/// Reproducible numbers, uniform in [-scale, scale).
Floats randomFloats(size_t count, uint32_t seed, float scale = 1.0f);
/// Norm of the difference over norm of `expected`.
double relativeError(const Floats &actual, const Doubles &expected);
Doubles toDoubles(const Floats &values);
double dot(const Doubles &a, const Doubles &b);

/// The directional derivative of `f` at `at` along `direction`, by central differences.
double differentiate(const std::function<double(const Doubles &)> &f, const Doubles &at, const Doubles &direction);

} // namespace adjc::test

#endif
