//===- Arithmetic.h - short spellings for the arithmetic that functions become ------------------------*- C++ -*-===//
#ifndef ADJC_LIB_TARGET_MATH_ARITHMETIC_H
#define ADJC_LIB_TARGET_MATH_ARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace adjc {

inline bool isF32(mlir::Type type) { return mlir::getElementTypeOrSelf(type).isF32(); }

/// Arithmetic on values of one type: f32, or a vector of it.
class Arithmetic {
public:
  Arithmetic(mlir::Operation *op, mlir::PatternRewriter &rewriter)
      : b(op->getLoc(), rewriter), type(op->getResult(0).getType()) {}

  mlir::Value constant(double value) { return splat(b.getF32FloatAttr(static_cast<float>(value)), type); }
  mlir::Value integer(int32_t value) { return splat(b.getI32IntegerAttr(value), integerType()); }
  template <typename Op> mlir::Value make(mlir::Value x, mlir::Value y) { return Op::create(b, x, y).getResult(); }
  mlir::Value add(mlir::Value x, mlir::Value y) { return make<mlir::arith::AddFOp>(x, y); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return make<mlir::arith::SubFOp>(x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return make<mlir::arith::MulFOp>(x, y); }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value x, double y) {
    return mlir::arith::CmpFOp::create(b, predicate, x, constant(y));
  }
  /// sum_i coefficients[i] x^i
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients) {
    mlir::Value sum = constant(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = add(mul(sum, x), constant(coefficient));
    return sum;
  }
  /// x * y + z, in one instruction where the target has it.
  mlir::Value multiplyAdd(mlir::Value x, mlir::Value y, mlir::Value z) { return add(mul(x, y), z); }
  /// min(x, bound) and max(x, bound), one instruction on x86; NaN stays NaN.
  mlir::Value clampAbove(mlir::Value x, double bound) {
    return mlir::arith::SelectOp::create(b, compare(mlir::arith::CmpFPredicate::OGT, x, bound), constant(bound), x);
  }
  mlir::Value clampBelow(mlir::Value x, double bound) {
    return mlir::arith::SelectOp::create(b, compare(mlir::arith::CmpFPredicate::OLT, x, bound), constant(bound), x);
  }
  mlir::Value toBits(mlir::Value x) { return mlir::arith::BitcastOp::create(b, integerType(), x); }
  mlir::Value fromBits(mlir::Value x) { return mlir::arith::BitcastOp::create(b, type, x); }
  /// 2^exponent, for exponents of normal numbers.
  mlir::Value powerOfTwo(mlir::Value exponent) {
    mlir::Value bits = make<mlir::arith::ShLIOp>(make<mlir::arith::AddIOp>(exponent, integer(127)), integer(23));
    return mlir::arith::BitcastOp::create(b, type, bits);
  }

  mlir::Type integerType() const {
    mlir::Type element = mlir::IntegerType::get(type.getContext(), 32);
    auto vector = mlir::dyn_cast<mlir::VectorType>(type);
    return vector ? mlir::Type(vector.clone(element)) : element;
  }

  mlir::ImplicitLocOpBuilder b;
  mlir::Type type;

private:
  mlir::Value splat(mlir::TypedAttr value, mlir::Type of) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(of))
      return mlir::arith::ConstantOp::create(b, mlir::DenseElementsAttr::get(vector, value));
    return mlir::arith::ConstantOp::create(b, value);
  }
};

} // namespace adjc

#endif
