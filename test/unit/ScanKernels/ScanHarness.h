//===- ScanHarness.h - compiles scans and their adjoints and runs them on plain arrays ----------------*- C++ -*-===//
#ifndef ADJC_TEST_SCANHARNESS_H
#define ADJC_TEST_SCANHARNESS_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// A tensor whose dimensions are letters, such as "btd".
struct ScanOperand {
  std::string name, dims;
};

/// One recurrence: the iteration space by letters (batch b, token t), and an ssm.scan without carries.
struct ScanCase {
  std::vector<ScanOperand> inputs, outputs;
  std::string state;        ///< letters of the state's dimensions
  char lane;                ///< the lane dimension
  std::string grouped = ""; ///< letters of the dimensions of which a kernel group holds one point
  char contracted = 0;      ///< of a dense transition: the copy of the state dimension `contracts`
  char contracts = 0;
  std::map<char, int64_t> sizes; ///< of all but batch and token
  std::string step, read;        ///< bodies; %NAME is input NAME's scalar, %h the state, %reset the flag

  std::string dims() const; ///< "btdn"
  std::string text(bool withResets) const;
};

/// A tensor in memory: rows (the batch and token dimensions, if both lead) may be apart.
struct ScanArray {
  std::vector<int64_t> shape;
  int64_t rowSize = 0, stride = 0; ///< elements of a row, and between rows
  std::vector<float> data;
  int64_t size() const;
  float &at(int64_t index); ///< in row-major order of the shape
};

/// The kernels of one case: forward (with initial, final, checkpoints) and adjoint (with both state cotangents).
class ScanKernels {
public:
  /// `padding`: elements between consecutive rows of activations. Null, after a test failure, when something does not
  /// compile.
  static std::unique_ptr<ScanKernels> compile(const ScanCase &scan, bool withResets, int64_t padding = 0);
  ~ScanKernels();

  struct Run {
    int64_t batch, tokens;
    std::vector<ScanArray> inputs, outputs, cotangents,
        inputCotangents; ///< input cotangents without their partial sums
    ScanArray initial, final, stateCotangent, nextStateCotangent;
    std::vector<int8_t> resets;
  };
  /// Arrays of the right sizes, full of NaN; resets all 0.
  Run makeRun(int64_t batch, int64_t tokens) const;
  /// From inputs, initial and resets to outputs and final.
  void forward(Run &run);
  /// After forward: from cotangents and stateCotangent to inputCotangents (partial sums summed) and nextStateCotangent.
  void adjoint(Run &run);

private:
  struct Library;
  ScanKernels() = default;
  ScanArray make(const std::string &dims, const Run &run, bool padded) const;
  void call(const char *name, int64_t groups, std::vector<void *> buffers, const Run &run);

  ScanCase scan;
  bool withResets = false;
  int64_t padding = 0, groups = 1; ///< groups of a sequence
  /// Partial sums that the groups of a sequence make for a tensor of these dimensions; 0 where it needs none.
  int64_t countPartials(const std::string &dims) const;
  std::vector<float> checkpoints;
  std::unique_ptr<Library> library;
};

#endif
