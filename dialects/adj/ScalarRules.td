//===- ScalarRules.td - vjps of scalar operations ------------------------------------------------------------------===//
//
// One rule per operation: for each operand, its cotangent in terms of the cotangent `g` of the result, the operands x0, x1, x2 and the
// result y. `none`: no cotangent. The cotangent of a complex value z is dL/dRe(z) + i dL/dIm(z), so a holomorphic f gives g conj(f'). tools/adj-tblgen turns the rules into ScalarRules.inc. To add a rule, add a line here and a case to
// test/adjoint/scalar-rules.mlir.
//
//===----------------------------------------------------------------------------------------------------------------===//

class Leaf<string text> { string cpp = text; }
def g : Leaf<"g">;
def y : Leaf<"y">;
def x0 : Leaf<"x(0)">;
def x1 : Leaf<"x(1)">;
def x2 : Leaf<"x(2)">;
def none : Leaf<"">;

// Functions of Terms (ScalarRules.cpp). (k "0.5") is a constant of g's type.
class Function<string text> { string cpp = text; }
def mul : Function<"mul">;
def add : Function<"add">;
def sub : Function<"sub">;
def div : Function<"div">;
def neg : Function<"neg">;
def exp : Function<"exp">;
def log : Function<"log">;
def sin : Function<"sin">;
def cos : Function<"cos">;
def pow : Function<"pow">;
def conj : Function<"conj">;
def re : Function<"re">;
def im : Function<"im">;
def create : Function<"create">;
def like : Function<"like">; // (like g, x0): g in x0's precision
def k : Function<"constant">;
def zero : Function<"zero">;
def select : Function<"select">; // (select condition, then, else)
def lt : Function<"lt">;
def gt : Function<"gt">;
def ge : Function<"ge">;
def le : Function<"le">;

class Rule<string op, list<dag> cotangents> {
  string operation = op;
  list<dag> operands = cotangents;
}
// A cotangent that is a leaf is written (is leaf).
def is : Function<"">;

def : Rule<"arith::AddFOp", [(is g), (is g)]>;
def : Rule<"arith::SubFOp", [(is g), (neg g)]>;
def : Rule<"arith::MulFOp", [(mul g, x1), (mul g, x0)]>;
def : Rule<"arith::DivFOp", [(div g, x1), (neg (div (mul g, y), x1))]>;
def : Rule<"arith::NegFOp", [(neg g)]>;
// At a tie the first operand takes the cotangent.
def : Rule<"arith::MaximumFOp", [(select (ge x0, x1), g, (zero)), (select (ge x0, x1), (zero), g)]>;
def : Rule<"arith::MaxNumFOp", [(select (ge x0, x1), g, (zero)), (select (ge x0, x1), (zero), g)]>;
def : Rule<"arith::MinimumFOp", [(select (le x0, x1), g, (zero)), (select (le x0, x1), (zero), g)]>;
def : Rule<"arith::MinNumFOp", [(select (le x0, x1), g, (zero)), (select (le x0, x1), (zero), g)]>;
def : Rule<"arith::SelectOp", [(is none), (select x0, g, (zero)), (select x0, (zero), g)]>;
def : Rule<"math::ExpOp", [(mul g, y)]>;
def : Rule<"math::Exp2Op", [(mul g, (mul y, (k "0.6931471805599453")))]>;
def : Rule<"math::ExpM1Op", [(mul g, (add y, (k "1.0")))]>;
def : Rule<"math::LogOp", [(div g, x0)]>;
def : Rule<"math::Log2Op", [(div (mul g, (k "1.4426950408889634")), x0)]>;
def : Rule<"math::Log1pOp", [(div g, (add x0, (k "1.0")))]>;
def : Rule<"math::SqrtOp", [(div (mul g, (k "0.5")), y)]>;
def : Rule<"math::RsqrtOp", [(mul (mul g, (k "-0.5")), (mul y, (mul y, y)))]>;
def : Rule<"math::TanhOp", [(mul g, (sub (k "1.0"), (mul y, y)))]>;
def : Rule<"math::SinOp", [(mul g, (cos x0))]>;
def : Rule<"math::CosOp", [(neg (mul g, (sin x0)))]>;
// The subgradient at 0 is 0, as in PyTorch and JAX.
def : Rule<"math::AbsFOp", [(select (gt x0, (zero)), g, (select (lt x0, (zero)), (neg g), (zero)))]>;
def : Rule<"math::ErfOp", [(mul g, (mul (exp (neg (mul x0, x0))), (k "1.1283791670955126")))]>; // 2 / sqrt(pi)
def : Rule<"math::PowFOp", [(mul g, (mul x1, (pow x0, (sub x1, (k "1.0"))))), (mul g, (mul y, (log x0)))]>;
def : Rule<"math::FmaOp", [(mul g, x1), (mul g, x0), (is g)]>;
def : Rule<"complex::CreateOp", [(re g), (im g)]>;
def : Rule<"complex::ReOp", [(create g, (zero))]>;
def : Rule<"complex::ImOp", [(create (zero), g)]>;
def : Rule<"complex::ConjOp", [(conj g)]>;
def : Rule<"complex::AddOp", [(is g), (is g)]>;
def : Rule<"complex::SubOp", [(is g), (neg g)]>;
def : Rule<"complex::MulOp", [(mul g, (conj x1)), (mul g, (conj x0))]>;
def : Rule<"complex::DivOp", [(div g, (conj x1)), (neg (div (mul g, (conj y)), (conj x1)))]>;
def : Rule<"complex::NegOp", [(neg g)]>;
def : Rule<"complex::ExpOp", [(mul g, (conj y))]>;
def : Rule<"complex::Expm1Op", [(mul g, (conj (add y, (k "1.0"))))]>;
// The subgradient at 0 is 0.
def : Rule<"complex::AbsOp", [(create (select (gt y, (zero)), (mul g, (div (re x0), y)), (zero)),
                                      (select (gt y, (zero)), (mul g, (div (im x0), y)), (zero)))]>;
// Conditions have no cotangent.
def : Rule<"arith::UIToFPOp", [(is none)]>;
// From storage in bf16 to f32 and back: each is the other's transpose.
def : Rule<"arith::ExtFOp", [(like g, x0)]>;
def : Rule<"arith::TruncFOp", [(like g, x0)]>;
def : Rule<"complex::ConstantOp", []>;
def : Rule<"arith::ConstantOp", []>;
def : Rule<"arith::CmpFOp", [(is none), (is none)]>;
