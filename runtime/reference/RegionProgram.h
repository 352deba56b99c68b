// RegionProgram.h - a region of ssm.scan as a straight-line program on small tensors, evaluated at one token of one
// sequence.
//
// Batch and tokens are fixed while it runs, so a value is a tensor over the further dimensions that it varies over. Its
// reverse sweep is that of a scalar tape, taken for all points of an instruction at once: what was broadcast is added
// up.
#ifndef ADJRT_REFERENCE_REGIONPROGRAM_H
#define ADJRT_REFERENCE_REGIONPROGRAM_H

#include "ScalarOps.h"
#include "Tape.h"

#include <array>

namespace adjrt::reference {

/// Numbers of one register: `im` is empty for a real one.
struct Lanes {
  std::vector<double> re, im;
  [[nodiscard]] Complex at(std::size_t i) const { return {re[i], im.empty() ? 0.0 : im[i]}; }
  void add(std::size_t i, Complex value) {
    re[i] += value.real();
    if (!im.empty())
      im[i] += value.imag();
  }
};

/// What a register varies over: dimensions of the iteration space without batch and tokens, outermost first.
struct RegisterType {
  std::vector<int> dims;
  bool isComplex = false;
};

/// Offsets, into a tensor over `inner` dimensions, of the points of `outer` in row-major order. `substitute` maps a
/// dimension of the tensor to the dimension of `outer` that indexes it (a dense transition reads state n at m). Every
/// dimension of inner must be found in outer.
std::vector<std::size_t> offsetsWithin(const std::vector<int> &outer, const std::vector<int> &inner,
                                       const std::vector<std::int64_t> &sizes, int from = -1, int to = -1);
/// Number of points.
std::size_t pointsOf(const std::vector<int> &dims, const std::vector<std::int64_t> &sizes);

class RegionProgram {
public:
  /// `arguments`: the types of the graph's arguments; `sizes`: of the iteration space's dimensions, those of batch and
  /// tokens unused. Errors name the op in the region and its location.
  static Expected<RegionProgram> build(const fb::GraphT &graph, const std::vector<RegisterType> &arguments,
                                       const std::vector<std::int64_t> &sizes);

  [[nodiscard]] const RegisterType &type(int reg) const { return types[reg]; }
  [[nodiscard]] int argument(std::size_t i) const { return static_cast<int>(i); }
  [[nodiscard]] int result(std::size_t i) const { return results[i]; }
  [[nodiscard]] std::size_t resultCount() const { return results.size(); }

  std::vector<Lanes> values, cotangents; ///< per register

  /// Fills all registers from those of the arguments.
  void run();
  void clearCotangents();
  /// Carries the results' cotangents back to all registers.
  void runBackward();

private:
  enum class Kind {
    RealUnary,
    RealBinary,
    ComplexUnary,
    ComplexBinary,
    Compare,
    Select,
    Fma,
    Sum,
    Create,
    Re,
    Im,
    Conj,
    Abs
  };
  struct Instruction {
    Kind kind;
    std::array<int, 3> operands = {-1, -1, -1};
    int result = -1;
    const Unary<double> *realUnary = nullptr;
    const Binary<double> *realBinary = nullptr;
    const Unary<Complex> *complexUnary = nullptr;
    const Binary<Complex> *complexBinary = nullptr;
    Comparison compare = nullptr;
    std::array<std::vector<std::size_t>, 3>
        offsets; ///< per operand, per point of the result; of a sum: per point of the operand
  };

  Status append(const fb::NodeT &node, std::map<int, int> &registerOf, const std::vector<std::int64_t> &sizes);
  int newRegister(RegisterType type, const std::vector<std::int64_t> &sizes);

  std::vector<RegisterType> types;
  std::vector<Instruction> instructions;
  std::vector<int> results;
};

} // namespace adjrt::reference

#endif
