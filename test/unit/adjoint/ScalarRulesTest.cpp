// Every scalar rule against central differences, in float64: both the function and its vjp are evaluated by upstream's
// own folders.
#include "adj/ScalarRules.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstdio>

using namespace mlir;

namespace {

/// A scalar function as text over %x, %y, %z, ending in %r; `at` are the points it is tried at.
struct Rule {
  const char *name;
  const char *body;
  std::vector<std::array<double, 3>> at;
};

std::string literal(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17e", v);
  return text;
}

void PrintTo(const Rule &rule, std::ostream *os) { *os << rule.name; }

class ScalarRules : public testing::TestWithParam<Rule> {
protected:
  ScalarRules() { context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect>(); }

  OwningOpRef<ModuleOp> parse(const std::array<double, 3> &at) {
    std::string text = "func.func @f() -> (f64, f64, f64, f64) {\n";
    for (unsigned i = 0; i < 3; ++i)
      text += std::string("%") + "xyz"[i] + " = arith.constant " + literal(at[i]) + " : f64\n";
    text += GetParam().body;
    text += "\nreturn %r, %x, %y, %z : f64, f64, f64, f64\n}\n";
    return parseSourceString<ModuleOp>(text, &context);
  }

  /// Folds the function to constants; its results.
  std::vector<double> fold(ModuleOp module) {
    EXPECT_TRUE(succeeded(applyPatternsGreedily(module, RewritePatternSet(&context))));
    std::vector<double> values;
    auto function = *module.getOps<func::FuncOp>().begin();
    for (Value v : function.getBody().front().getTerminator()->getOperands()) {
      auto constant = v.getDefiningOp<arith::ConstantOp>();
      EXPECT_TRUE(constant) << "not folded";
      values.push_back(constant ? cast<FloatAttr>(constant.getValue()).getValueAsDouble() : NAN);
    }
    return values;
  }

  double evaluate(const std::array<double, 3> &at) { return fold(*parse(at))[0]; }

  /// The derivatives by our rules: the returned values are replaced by the cotangents of %x, %y and %z.
  std::vector<double> derivatives(const std::array<double, 3> &at) {
    OwningOpRef<ModuleOp> module = parse(at);
    auto function = *module->getOps<func::FuncOp>().begin();
    Block &body = function.getBody().front();
    Operation *ret = body.getTerminator();
    SmallVector<Operation *> ops;
    for (Operation &op : body.without_terminator())
      ops.push_back(&op);
    OpBuilder b(ret);
    adj::ScalarAdjoint adjoint(b, nullptr);
    Value one = arith::ConstantOp::create(b, ret->getLoc(), b.getF64FloatAttr(1.0));
    Value zero = arith::ConstantOp::create(b, ret->getLoc(), b.getF64FloatAttr(0.0));
    adjoint.seed(ret->getOperand(0), one);
    EXPECT_TRUE(succeeded(adjoint.run(ops)));
    for (unsigned i = 1; i < 4; ++i) {
      Value g = adjoint.lookup(ret->getOperand(i));
      ret->setOperand(i, g ? g : zero);
    }
    std::vector<double> all = fold(*module);
    return {all.begin() + 1, all.end()};
  }

  MLIRContext context;
};

TEST_P(ScalarRules, AgreesWithCentralDifferences) {
  for (std::array<double, 3> at : GetParam().at) {
    std::vector<double> derivative = derivatives(at);
    for (unsigned i = 0; i < 3; ++i) {
      const double h = 1e-5;
      std::array<double, 3> up = at, down = at;
      up[i] += h;
      down[i] -= h;
      double difference = (evaluate(up) - evaluate(down)) / (2 * h);
      EXPECT_NEAR(derivative[i], difference, 1e-7 * (1 + std::abs(difference)))
          << GetParam().name << ", operand " << i << " at " << at[i];
    }
  }
}

const std::vector<std::array<double, 3>> kAny = {{0.7, -1.3, 0.4}, {-2.1, 0.6, -0.2}};
const std::vector<std::array<double, 3>> kPositive = {{0.7, 1.3, 0.4}, {2.1, 0.6, 0.2}};

const Rule kRules[] = {
    {"addf", "%r = arith.addf %x, %y : f64", kAny},
    {"subf", "%r = arith.subf %x, %y : f64", kAny},
    {"mulf", "%r = arith.mulf %x, %y : f64", kAny},
    {"divf", "%r = arith.divf %x, %y : f64", kAny},
    {"negf", "%r = arith.negf %x : f64", kAny},
    {"maximumf", "%r = arith.maximumf %x, %y : f64", kAny},
    {"maxnumf", "%r = arith.maxnumf %x, %y : f64", kAny},
    {"minimumf", "%r = arith.minimumf %x, %y : f64", kAny},
    {"minnumf", "%r = arith.minnumf %x, %y : f64", kAny},
    {"select", "%c = arith.cmpf ogt, %x, %y : f64\n%p = arith.mulf %x, %z : f64\n%r = arith.select %c, %p, %y : f64",
     kAny},
    {"exp", "%r = math.exp %x : f64", kAny},
    {"exp2", "%r = math.exp2 %x : f64", kAny},
    {"expm1", "%r = math.expm1 %x : f64", kAny},
    {"log", "%r = math.log %x : f64", kPositive},
    {"log2", "%r = math.log2 %x : f64", kPositive},
    {"log1p", "%r = math.log1p %x : f64", kPositive},
    {"sqrt", "%r = math.sqrt %x : f64", kPositive},
    {"tanh", "%r = math.tanh %x : f64", kAny},
    {"sin", "%r = math.sin %x : f64", kAny},
    {"cos", "%r = math.cos %x : f64", kAny},
    {"absf", "%r = math.absf %x : f64", kAny},
    {"erf", "%r = math.erf %x : f64", kAny},
    {"powf", "%r = math.powf %x, %y : f64", kPositive},
    {"uitofp", "%c = arith.cmpf ogt, %x, %y : f64\n%f = arith.uitofp %c : i1 to f64\n%r = arith.mulf %f, %x : f64",
     kAny},
    {"used twice", "%a = math.exp %x : f64\n%b = arith.mulf %a, %x : f64\n%r = arith.addf %b, %a : f64", kAny},
};

INSTANTIATE_TEST_SUITE_P(Rules, ScalarRules, testing::ValuesIn(kRules), [](const auto &info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

} // namespace
