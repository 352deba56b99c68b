//===- ScalarWork.cpp - what the scalar operations of a region cost ---------------------------------------------===//
#include "adjc/Plan/Cost/Work.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace adjc {

/// Polynomial and argument reduction of a logarithm, a sine or an error function, in instructions (lib/Target/Math).
static constexpr double kPolynomial = 16;

ScalarWork countScalar(Operation *op) {
  if (op->hasTrait<OpTrait::IsTerminator>() || op->hasTrait<OpTrait::ConstantLike>())
    return {};
  // Conversions of bf16 are shifts; those of indices and flags are free beside them.
  bool complex = llvm::any_of(op->getOperandTypes(), [](Type type) { return isa<ComplexType>(type); });
  return llvm::TypeSwitch<Operation *, ScalarWork>(op)
      .Case<math::ExpOp, math::Exp2Op>([](auto) { return ScalarWork{1, 1}; })
      .Case<math::ExpM1Op, math::TanhOp>([](auto) { return ScalarWork{2, 4}; })
      .Case<math::LogOp, math::Log1pOp, math::Log2Op, math::SinOp, math::CosOp, math::ErfOp>(
          [](auto) { return ScalarWork{0, kPolynomial}; })
      .Case<math::SqrtOp, math::RsqrtOp>([](auto) { return ScalarWork{1, 1}; })
      .Case<math::PowFOp>([](auto) { return ScalarWork{1, kPolynomial + 2}; })
      .Case<arith::DivFOp>([](auto) { return ScalarWork{1, 2}; })
      .Case<complex::MulOp>([](auto) { return ScalarWork{0, 4}; })
      .Case<complex::ExpOp>([](auto) { return ScalarWork{1, 2 * kPolynomial + 2}; })
      .Case<complex::DivOp>([](auto) { return ScalarWork{1, 10}; })
      .Case<complex::CreateOp, complex::ReOp, complex::ImOp>([](auto) { return ScalarWork{}; })
      .Default([&](Operation *) { return ScalarWork{0, complex ? 2.0 : 1.0}; });
}

StringRef nameOf(WorkKind kind) {
  static constexpr StringLiteral names[kWorkKinds] = {"matrix products",
                                                      "recurrences",
                                                      "recurrences, adjoint",
                                                      "elementwise",
                                                      "norms",
                                                      "convolutions",
                                                      "embeddings",
                                                      "losses",
                                                      "sums of partial sums",
                                                      "copies",
                                                      "waiting for transfers"};
  return names[static_cast<unsigned>(kind)];
}

} // namespace adjc
