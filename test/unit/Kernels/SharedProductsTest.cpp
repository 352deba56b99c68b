//===- SharedProductsTest.cpp - products of three factors, of which two are multiplied anyway --------------------===//
#include "../../../lib/Kernels/PointProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace adjc::scan;
using namespace mlir;

/// Multiplications left of a function's body whose values are all stored, in topological order or not at all (-1).
static int productsOf(const std::string &body, const std::string &results) {
  MLIRContext context;
  context.loadDialect<arith::ArithDialect, func::FuncDialect>();
  std::string types = results.find(',') == std::string::npos ? "f32" : "f32, f32";
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>("func.func @f(%c: f32, %a: f32, %h: f32, %d: f32) -> (" + types + ") {\n" + body +
                                      "\nreturn " + results + " : " + types + "\n}",
                                  &context);
  if (!module)
    return -1;
  auto none = [](adjc::KernelBuilder &, const PointIndex &, ValueRange) { return Value(); };
  PointProgram program(/*lane=*/2, /*fixed=*/0);
  SmallVector<PointValue> arguments, yielded;
  for (int i = 0; i < 4; ++i)
    arguments.push_back({program.addLeaf(dimBit(tokenDim), Float32Type::get(&context), none, /*copied=*/false)});
  Region &region = (*module->getOps<func::FuncOp>().begin()).getBody();
  if (failed(program.addRegion(region, arguments, yielded)))
    return -1;
  for (PointValue value : yielded)
    program.addStore(value.re, dimBit(tokenDim), none, /*copied=*/false);
  program.shareProducts();
  int products = 0;
  llvm::DenseSet<const PointNode *> before;
  for (const auto &node : program.getNodes()) {
    for (const PointNode *operand : node->operands)
      if (!before.contains(operand))
        return -1;
    before.insert(node.get());
    products += isa_and_nonnull<arith::MulFOp>(node->op);
  }
  return products;
}

TEST(SharedProducts, TakesWhatIsComputedAnyway) {
  EXPECT_EQ(
      productsOf("%0 = arith.mulf %c, %h : f32  %1 = arith.mulf %0, %a : f32  %2 = arith.mulf %c, %a : f32", "%1, %2"),
      2);
}

TEST(SharedProducts, AlsoWhereThatComesFirstOrIsTheOtherWayRound) {
  EXPECT_EQ(
      productsOf("%2 = arith.mulf %a, %c : f32  %0 = arith.mulf %c, %h : f32  %1 = arith.mulf %a, %0 : f32", "%1, %2"),
      2);
}

TEST(SharedProducts, LeavesWhatHasAnotherUse) {
  EXPECT_EQ(productsOf("%0 = arith.mulf %c, %h : f32  %1 = arith.mulf %0, %a : f32  %2 = arith.mulf %c, %a : f32\n"
                       "%3 = arith.addf %0, %2 : f32",
                       "%1, %3"),
            3);
}

TEST(SharedProducts, LeavesWhatHasNothingToShare) {
  EXPECT_EQ(
      productsOf("%0 = arith.mulf %c, %h : f32  %1 = arith.mulf %0, %a : f32  %2 = arith.mulf %d, %a : f32", "%1, %2"),
      3);
}

TEST(SharedProducts, LeavesSquares) {
  EXPECT_EQ(
      productsOf("%0 = arith.mulf %c, %h : f32  %1 = arith.mulf %0, %0 : f32  %2 = arith.mulf %c, %0 : f32", "%1, %2"),
      3);
}
