//===- ScanDimensionsTest.cpp - which dimensions values of a scan vary over ---------------------------------------===//
#include "ssm/ScanDimensions.h"
#include "adjc/InitAll.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "ssm/SsmOps.h"
#include <gtest/gtest.h>

using namespace mlir;

namespace {

struct Scan {
  MLIRContext context;
  OwningOpRef<ModuleOp> module;

  explicit Scan(StringRef text) {
    DialectRegistry registry;
    adjc::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    module = parseSourceString<ModuleOp>(text, &context);
  }
  ssm::ScanOp op() {
    ssm::ScanOp found;
    module->walk([&](ssm::ScanOp scan) { found = scan; });
    return found;
  }
};

const char *const kScan = R"(func.func @f(%x: tensor<?x?x4xf32>, %A: tensor<4x2xf32>, %c: tensor<f32>) {
  %y = ssm.scan over [b, t, d, n] state [d, n] : f32
      ins(%x as [b, t, d], %A as [d, n], %c as [] : tensor<?x?x4xf32>, tensor<4x2xf32>, tensor<f32>)
      outs([b, t, d] : tensor<?x?x4xf32>) step {
  ^bb0(%v: f32, %w: f32, %s: f32, %reset: i1):
    %one = arith.constant 1.0 : f32
    %a = arith.addf %w, %s : f32
    %u = arith.select %reset, %one, %v : f32
    ssm.yield %a, %u : f32, f32
  } read {
  ^bb0(%v: f32, %w: f32, %s: f32, %h: f32, %reset: i1):
    %p = arith.mulf %w, %h : f32
    %r = ssm.sum [3] %p : f32
    %q = ssm.sum [2, 3] %w : f32
    %m = arith.mulf %r, %q : f32
    ssm.yield %m : f32
  }
  return
})";

TEST(ScanDimensions, OfEveryKindOfValue) {
  Scan scan(kScan);
  ASSERT_TRUE(scan.module);
  ssm::ScanOp op = scan.op();
  ssm::ScanSpace space = ssm::getSpace(op);
  ssm::ScanDimensions dimensions(op);
  auto names = [&](Value value) { return space.format(dimensions.get(value)); };
  Block &step = op.getStep().front(), &read = op.getRead().front();
  auto result = [](Block &block, unsigned i) { return std::next(block.begin(), i)->getResult(0); };
  EXPECT_EQ(names(step.getArgument(0)), "b, t, d");
  EXPECT_EQ(names(step.getArgument(1)), "d, n");
  EXPECT_EQ(names(step.getArgument(2)), "nothing");
  EXPECT_EQ(names(step.getArgument(3)), "b, t");
  EXPECT_EQ(names(result(step, 0)), "nothing");
  EXPECT_EQ(names(result(step, 1)), "d, n");
  EXPECT_EQ(names(result(step, 2)), "b, t, d");
  EXPECT_EQ(names(read.getArgument(3)), "b, t, d, n");
  EXPECT_EQ(names(read.getArgument(4)), "b, t");
  EXPECT_EQ(names(result(read, 0)), "b, t, d, n");
  EXPECT_EQ(names(result(read, 1)), "b, t, d");
  EXPECT_EQ(names(result(read, 2)), "nothing");
  EXPECT_EQ(names(result(read, 3)), "b, t, d");
  EXPECT_TRUE(dimensions.variesOverToken(result(step, 2)));
  EXPECT_FALSE(dimensions.variesOverToken(result(step, 1)));
}

TEST(ScanDimensions, SizesAndStateType) {
  Scan scan(kScan);
  EXPECT_EQ(scan.op().getDimSizes(), (SmallVector<int64_t>{ShapedType::kDynamic, ShapedType::kDynamic, 4, 2}));
  EXPECT_EQ(scan.op().getStateTensorType().getShape(), (ArrayRef<int64_t>{ShapedType::kDynamic, 4, 2}));
}

/// The lane of a scan whose output has `map`, over states d (4) and n (8), k being of the output alone.
unsigned laneOf(StringRef output, StringRef shape, StringRef yielded) {
  Scan scan((R"(func.func @f(%A: tensor<4x8x3xf32>) {
  %y = ssm.scan over [b, t, d, n, k] state [d, n] : f32 ins(%A as [d, n, k] : tensor<4x8x3xf32>)
      outs([)" +
             output + "] : tensor<?x?x" + shape + R"(f32>) step {
  ^bb0(%a: f32, %reset: i1):
    %u = ssm.sum [4] %a : f32
    ssm.yield %u, %u : f32, f32
  } read {
  ^bb0(%a: f32, %h: f32, %reset: i1):
    %p = arith.mulf %a, %h : f32
    %d = ssm.sum [3, 4] %p : f32
    %n = ssm.sum [2, 4] %p : f32
    %k = ssm.sum [2, 3] %p : f32
    ssm.yield )" +
             yielded + R"( : f32
  }
  return
})")
                .str());
  EXPECT_TRUE(scan.module);
  return scan.module ? ssm::getLaneDim(scan.op()) : 0;
}

TEST(LaneDim, IsTheOutputsLastStateDimensionElseTheLargest) {
  EXPECT_EQ(laneOf("b, t, d", "4x", "%d"), 2u);
  EXPECT_EQ(laneOf("b, t, n", "8x", "%n"), 3u);
  EXPECT_EQ(laneOf("b, t, k", "3x", "%k"), 3u);
}

} // namespace
